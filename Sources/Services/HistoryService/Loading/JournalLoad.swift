internal import SagamoreEngine
internal import SagamorePersistence

/// Loads the journals of runs in pages of bounded size, and replays each page. However large the journals are, memory
/// holds one page and the runs themselves.
struct JournalLoad {
    /// A run whose whole journal was read.
    struct Finished {
        let row: RunRow
        let replay: Result<JournalReplay, any Error>
    }

    /// What to read from the store.
    struct Question: Equatable {
        let runIDs: [RunID]
        let after: JournalPosition
    }

    /// Sorted by run id, the order of the pages.
    private let rows: [RunRow]
    /// The run that is being replayed.
    private var index = 0
    private var replay: JournalReplay?
    private var failure: (any Error)?
    private var lastSequence: Int64 = 0
    /// How many runs to ask for at once. To cut a page, the store looks at the rows of all of them.
    private var width: Int

    init(_ rows: [RunRow]) {
        self.rows = rows.sorted { $0.runID < $1.runID }
        width = rows.count
    }

    var isFinished: Bool { index == rows.count }

    private var end: Int { min(rows.count, index + width) }

    /// What to read next. There must be something left to read.
    var question: Question {
        precondition(!isFinished, "a journal was asked for after the last one")
        return Question(
            runIDs: rows[index..<end].map(\.runID),
            after: JournalPosition(runID: rows[index].runID, sequence: lastSequence)
        )
    }

    /// Takes the answer to `question`. Returns the runs that are complete.
    mutating func take(_ page: JournalPage, at now: Instant) -> [Finished] {
        var finished: [Finished] = []
        let end = end
        for part in page.parts {
            while rows[index].runID != part.runID {
                finished.append(finish(at: now))
                precondition(index < end, "a journal was read that nobody asked for")
            }
            apply(part, at: now)
        }
        if page.isLast {
            while index < end { finished.append(finish(at: now)) }
        }
        width = page.isLast ? min(rows.count, 2 * width) : max(1, finished.count)
        return finished
    }

    private mutating func apply(_ part: JournalPart, at now: Instant) {
        lastSequence = part.sequence
        guard failure == nil else { return }
        if replay == nil { replay = JournalReplay(rows[index], at: now) }
        do { try replay?.apply(part) } catch { failure = error }
    }

    private mutating func finish(at now: Instant) -> Finished {
        defer {
            replay = nil
            failure = nil
            lastSequence = 0
            index += 1
        }
        if let failure { return Finished(row: rows[index], replay: .failure(failure)) }
        return Finished(row: rows[index], replay: .success(replay ?? JournalReplay(rows[index], at: now)))
    }
}
