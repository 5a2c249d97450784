internal import SagamoreEngine
internal import SagamorePersistence

/// Rebuilds a run from its snapshot and journal, part by part. It keeps only what the run keeps.
struct JournalReplay {
    let run: CachedRun
    /// The events that no completed workflow task has seen, and the size of their frames.
    private var unseen: [RecordedEvent] = []
    private var unseenBytes = 0
    /// The last event whose frame was not kept, because a snapshot replaces it or because the frames grew too large.
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

    /// Applies the next part.
    mutating func apply(_ part: JournalPart) throws {
        switch part {
        case .snapshot(let snapshot): try begin(with: snapshot)
        case .row(let row): try apply(row)
        }
        isEmpty = false
        run.sequence = part.sequence
    }

    private mutating func begin(with snapshot: SnapshotRow) throws {
        precondition(isEmpty, "a snapshot was read behind a part of its run")
        let state = try DurableStateCoding.decode(snapshot.state, format: snapshot.format)
        run.execution = SagamoreEngine.Execution(key: run.key, runID: run.runID, state: state)
        run.snapshots = SnapshotSchedule(
            sequence: snapshot.sequence,
            journal: run.journalSize,
            stateBytes: snapshot.state.count
        )
        droppedUpTo = state.lastEventID
    }

    private mutating func apply(_ row: JournalRow) throws {
        try apply(HistoryFrames.entries(events: row.events, facts: row.facts))
    }

    /// Applies entries of another run's journal, whose history the run repeats.
    ///
    /// - Parameter sequence: the number of the row that they have in the run's own journal.
    mutating func repeating(_ events: ArraySlice<RecordedEvent>, sequence: Int64) throws {
        try apply(events.map { .event($0) })
        isEmpty = false
        run.sequence = sequence
    }

    private mutating func apply(_ entries: [Entry]) throws {
        let seenBefore = run.execution.durable.previousStartedEventID
        for entry in entries {
            try run.execution.applyValidated(entry)
            guard case .event(let recorded) = entry else { continue }
            unseen.append(recorded)
            unseenBytes += recorded.frame.count
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

    /// The rebuilt run. It has the frames that a sticky worker has not seen, if all of them were kept and fit in the
    /// budget.
    func finished(keepingTailsWithin budget: TailBudget) -> CachedRun {
        let isWhole = droppedUpTo <= run.execution.durable.previousStartedEventID
        run.keepLoadedTail(isWhole ? unseen : nil, within: budget)
        return run
    }
}
