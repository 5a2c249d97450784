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

    /// A run from its journal, which was read to its end.
    static func rebuilt(
        _ replay: JournalReplay,
        at now: Instant
    ) throws -> CachedRun {
        guard !replay.isEmpty else { throw MissingJournal() }
        let run = replay.finished()
        run.noteRead()
        run.execution.rebuildDeadlines()
        return run
    }
}
