internal import SagamoreEngine
internal import SagamorePersistence

/// A run that is being rebuilt from its journal, row by row. It keeps what the run keeps, not what was read.
struct JournalReplay {
    let run: CachedRun
    /// Frames of events that no completed workflow task has seen, and what they add up to.
    private var unseen: [RecordedEvent] = []
    private var unseenBytes = 0
    /// The last event whose frame was let go because there were too many.
    private var droppedUpTo: Int64 = 0
    private(set) var isEmpty = true

    init(_ row: RunRow, at now: Instant) {
        run = CachedRun(
            SagamoreEngine.Execution(key: row.key, runID: row.runID),
            sequence: 0,
            startRequestID: row.startRequestID,
            isStored: true,
            at: now
        )
    }

    /// Applies the next row.
    mutating func apply(_ part: JournalRow) throws {
        isEmpty = false
        run.sequence = part.sequence
        let seenBefore = run.execution.durable.previousStartedEventID
        for entry in try HistoryFrames.entries(events: part.events, facts: part.facts) {
            run.execution.apply(entry)
            guard case .event(let recorded) = entry else { continue }
            unseen.append(recorded)
            unseenBytes += recorded.frame.count
            run.lastFrame = recorded.frame
        }
        let seen = run.execution.durable.previousStartedEventID
        if seen != seenBefore {
            unseen.removeAll { $0.event.eventID <= seen }
            unseenBytes = unseen.reduce(0) { $0 + $1.frame.count }
        }
        if unseenBytes > CachedRun.tailLimit, let last = unseen.last {
            droppedUpTo = last.event.eventID
            unseen = []
            unseenBytes = 0
        }
    }

    /// The run with the frames that a sticky worker has not seen, where they are not too many.
    func finished() -> CachedRun {
        let isWhole = droppedUpTo <= run.execution.durable.previousStartedEventID
        run.tail = isWhole ? unseen.flatMap(\.frame) : nil
        return run
    }
}
