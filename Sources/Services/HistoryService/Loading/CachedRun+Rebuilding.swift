internal import SagamoreAPI
internal import SagamoreEngine
internal import SagamorePersistence
internal import SagamoreProtobuf

extension CachedRun {
    /// Restores the last stored heartbeat of a running attempt.
    func restore(_ row: HeartbeatRow) {
        heartbeatRows.noteRead()
        guard execution.durable.activities[row.scheduledEventID]?.number == row.attempt else { return }
        let details = RawMessage<Payloads>(uncheckedBytes: row.details)
        execution.apply(
            .volatile(.heartbeat(scheduledEventID: row.scheduledEventID, details: details, at: row.recordedAt))
        )
    }

    /// Keeps the events that no worker has seen, if they are known and fit in the budget.
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

    /// The run has no journal. A run cannot be rebuilt without its first event.
    struct MissingJournal: Error {}

    /// Rebuilds a run from its whole journal.
    static func rebuilt(_ replay: JournalReplay, keepingTailsWithin budget: TailBudget) throws -> CachedRun {
        guard !replay.isEmpty else { throw MissingJournal() }
        let run = replay.finished(keepingTailsWithin: budget)
        run.noteRead()
        run.execution.rebuildDeadlines()
        return run
    }
}
