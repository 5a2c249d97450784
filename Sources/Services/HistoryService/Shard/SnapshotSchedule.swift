internal import SagamoreEngine
internal import SagamorePersistence

/// The total of what a run has written to its journal.
struct JournalSize: Equatable {
    var factCount: Int64 = 0
    var factBytes: Int64 = 0
    var historyBytes: Int64 = 0

    var byteCount: Int64 { factBytes + historyBytes }
}

/// Decides when to write a snapshot of a run.
///
/// A load reads the snapshot and what was written after it. A snapshot is due when a load would otherwise read a lot,
/// and more than the state itself. So all snapshots of a run together are no larger than its journal. Most runs close
/// long before their first one.
struct SnapshotSchedule: Equatable {
    /// The number of the last transition that the newest snapshot holds; 0 without one.
    private(set) var sequence: Int64 = 0
    /// The journal's size at that snapshot.
    private var journal = JournalSize()
    /// The size of the state when it was last encoded, in bytes.
    private var stateBytes: Int64 = 0

    /// From this many facts, or bytes of facts, a snapshot is worth writing.
    static let factLimit: Int64 = 500
    static let factByteLimit: Int64 = 64 << 10
    /// The same for facts and events together.
    static let byteLimit: Int64 = 1 << 20
    /// From this many facts, a snapshot is written whatever its size, since its commit deletes their rows.
    static let longestFactCount: Int64 = 10_000

    /// For a run that never had a snapshot.
    init() {}

    /// For a run that was loaded from a snapshot.
    init(sequence: Int64, journal: JournalSize, stateBytes: Int) {
        self.sequence = sequence
        self.journal = journal
        self.stateBytes = Int64(stateBytes)
    }

    /// Whether to encode the state. Called for each transition.
    func isDue(_ now: JournalSize) -> Bool {
        let facts = now.factCount - journal.factCount
        let bytes = now.byteCount - journal.byteCount
        guard
            facts >= Self.factLimit || now.factBytes - journal.factBytes >= Self.factByteLimit
                || bytes >= Self.byteLimit
        else { return false }
        return bytes > stateBytes || facts >= Self.longestFactCount
    }

    /// Notes the size of the encoded state. Returns the sequence of the previous snapshot if the state should be
    /// written, nil if it is larger than what it would replace.
    mutating func encoded(_ bytes: Int, sequence: Int64, _ now: JournalSize) -> Int64? {
        stateBytes = Int64(bytes)
        guard isDue(now) else { return nil }
        defer {
            self.sequence = sequence
            journal = now
        }
        return self.sequence
    }
}

extension CachedRun {
    /// The total of what the run has written to its journal.
    var journalSize: JournalSize {
        // Field by field: reading the whole state would copy it.
        JournalSize(
            factCount: execution.durable.factCount,
            factBytes: execution.durable.factBytes,
            historyBytes: execution.durable.historyBytes
        )
    }

    /// The state after the transition that was just applied, if a snapshot is due.
    func snapshotIfDue() -> SnapshotRow? {
        let size = journalSize
        guard snapshots.isDue(size) else { return nil }
        let state = DurableStateCoding.encode(execution.durable)
        guard let previous = snapshots.encoded(state.count, sequence: sequence, size) else { return nil }
        return SnapshotRow(
            runID: runID,
            sequence: sequence,
            previousSequence: previous,
            format: DurableStateCoding.format,
            state: state
        )
    }
}
