internal import SagamoreAPI
internal import SagamoreEngine
internal import SagamorePersistence
internal import SagamoreProtobuf

extension CachedRun {
    /// What running attempts had told before the owner changed.
    func restore(_ heartbeats: [HeartbeatRow]) {
        hasStoredHeartbeats = !heartbeats.isEmpty
        for row in heartbeats where execution.durable.activities[row.scheduledEventID]?.attempt == row.attempt {
            let details = RawMessage<Payloads>(uncheckedBytes: row.details)
            execution.apply(
                .volatile(.heartbeat(scheduledEventID: row.scheduledEventID, details: details, at: row.recordedAt))
            )
        }
    }

    /// There is no journal to rebuild a run from: without its first event it would be another run.
    struct MissingJournal: Error {}

    /// A run from its journal.
    static func rebuilt(
        _ row: RunRow,
        _ journal: [JournalRow],
        at now: Instant
    ) throws -> CachedRun {
        guard !journal.isEmpty else { throw MissingJournal() }
        let run = CachedRun(
            SagamoreEngine.Execution(key: row.key, runID: row.runID),
            sequence: journal.last?.sequence ?? 0,
            startRequestID: row.startRequestID,
            isStored: true,
            at: now
        )
        var frames: [RecordedEvent] = []
        for part in journal {
            for entry in try HistoryFrames.entries(events: part.events, facts: part.facts) {
                run.execution.apply(entry)
                if case .event(let recorded) = entry { frames.append(recorded) }
            }
        }
        let seen = run.execution.durable.previousStartedEventID
        let tail = frames.filter { $0.event.eventID > seen }.flatMap(\.frame)
        run.tail = tail.count > tailLimit ? nil : tail
        run.lastFrame = frames.last?.frame ?? []
        run.execution.rebuildDeadlines()
        return run
    }
}
