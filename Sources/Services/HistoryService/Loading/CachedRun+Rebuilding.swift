internal import SagamoreAPI
internal import SagamoreEngine
internal import SagamorePersistence
internal import SagamoreProtobuf

extension CachedRun {
    /// What a running attempt had told before the owner changed.
    func restore(_ row: HeartbeatRow) {
        heartbeatRows.noteRead()
        guard execution.durable.activities[row.scheduledEventID]?.attempt == row.attempt else { return }
        let details = RawMessage<Payloads>(uncheckedBytes: row.details)
        execution.apply(
            .volatile(.heartbeat(scheduledEventID: row.scheduledEventID, details: details, at: row.recordedAt))
        )
    }

    /// Keeps the events that no worker has seen, where they are known and find room.
    func keepLoadedTail(_ unseen: [RecordedEvent]?, within budget: TailBudget) {
        tail = nil
        guard let unseen else { return }
        let bytes = unseen.reduce(0) { $0 + $1.frame.count }
        if bytes > 0 {
            tailClaim = budget.claim(bytes)
            if tailClaim == nil { return }
        }
        tail = unseen.flatMap(\.frame)
    }

    /// There is no journal to rebuild a run from: without its first event it would be another run.
    struct MissingJournal: Error {}

    /// A run from its journal, which was read to its end.
    static func rebuilt(_ replay: JournalReplay, keepingTailsWithin budget: TailBudget) throws -> CachedRun {
        guard !replay.isEmpty else { throw MissingJournal() }
        let run = replay.finished(keepingTailsWithin: budget)
        run.noteRead()
        run.execution.rebuildDeadlines()
        return run
    }
}
