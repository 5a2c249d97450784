internal import SagamoreEngine
internal import SagamorePersistence

/// What a run has written to its journal, all in all.
struct JournalSize: Equatable {
    var factCount: Int64 = 0
    var factBytes: Int64 = 0
    var historyBytes: Int64 = 0

    var byteCount: Int64 { factBytes + historyBytes }
}

/// Decides when the state of a run is written beside its journal.
///
/// A load reads the state and what was written after it. So the state is written when a load would read much besides,
/// and more than the state is large: then all states together are no more than the journal. Most runs end long before.
struct SnapshotSchedule: Equatable {
    /// The number of the last transition that the newest snapshot holds; 0 without one.
    private(set) var sequence: Int64 = 0
    /// The journal's size at that snapshot.
    private var journal = JournalSize()
    /// The size of the state when it was last encoded, in bytes.
    private var stateBytes: Int64 = 0

    /// From so many facts on, or so many bytes of facts, the state is worth writing.
    static let factLimit: Int64 = 500
    static let factByteLimit: Int64 = 64 << 10
    /// The same for facts and events together.
    static let byteLimit: Int64 = 1 << 20
    /// After so many facts it is written however large it is: the commit that writes it deletes their rows.
    static let longestFactCount: Int64 = 10_000

    /// A run that never had a snapshot.
    init() {}

    /// A run that was loaded from a snapshot.
    init(sequence: Int64, journal: JournalSize, stateBytes: Int) {
        self.sequence = sequence
        self.journal = journal
        self.stateBytes = Int64(stateBytes)
    }

    /// Whether the state should be encoded. Asked with each transition.
    func isDue(_ now: JournalSize) -> Bool {
        let facts = now.factCount - journal.factCount
        let bytes = now.byteCount - journal.byteCount
        guard
            facts >= Self.factLimit || now.factBytes - journal.factBytes >= Self.factByteLimit
                || bytes >= Self.byteLimit
        else { return false }
        return bytes > stateBytes || facts >= Self.longestFactCount
    }

    /// The state was encoded. Returns the number of the snapshot before where it is to be written; nil where it turned
    /// out to be larger than what it would spare.
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
    /// What the run has written to its journal.
    var journalSize: JournalSize {
        // Field by field: to read the whole state would copy it.
        JournalSize(
            factCount: execution.durable.factCount,
            factBytes: execution.durable.factBytes,
            historyBytes: execution.durable.historyBytes
        )
    }

    /// The state behind the transition that was just applied, where it is to be written with it.
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
