internal import SagamoreAPI
internal import SagamoreEngine

/// Collects what happens to a run in memory while a reset reads what happened before.
///
/// Unchecked: used under the shard's lock.
final class EventWatch: @unchecked Sendable {
    let runID: RunID
    /// The last event that was there already.
    let lastEventID: Int64
    /// The later ones that the reset applies to its run again.
    private(set) var events: [HistoryEvent] = []
    /// The last event of the run that the watch knows of.
    private(set) var seenEventID: Int64
    private let request: ResetRequest

    init(_ run: CachedRun, for request: ResetRequest) {
        runID = run.runID
        lastEventID = run.execution.durable.lastEventID
        seenEventID = lastEventID
        self.request = request
        run.watch(self)
    }

    func note(_ event: HistoryEvent) {
        seenEventID = event.eventID
        if let event = request.reapplied(event) { events.append(event) }
    }
}
