internal import SagamoreEngine
internal import SagamorePersistence

extension Loader {
    /// Traces of commands that one step deletes. They are small.
    private static let traceLimit = 200

    /// Deletes a part of what is past its retention. The next step follows when nothing else waits.
    func retain() {
        guard shard.perform({ shard.state.ownership.isOwned }) else { return }
        let now = shard.clock()
        let step = withStore { (store) throws(CommitError) -> Bool in
            let traces = try store.deleteTraces(
                before: now + Interval(nanoseconds: -shard.configuration.inboxRetention.nanoseconds),
                limit: Self.traceLimit
            )
            if retention.next == nil {
                retention.begin(try store.retentions(), at: now, steady: shard.steadyClock())
            }
            if let window = retention.next {
                retention.advance(past: try deleteRuns(of: window, at: now, in: store))
            }
            return traces == Self.traceLimit || retention.next != nil
        }
        if case .success(true) = step { shard.loads.add(.retain) }
    }

    /// Returns the last run that was deleted; nil if no more runs of the window are due.
    private func deleteRuns(
        of window: RetentionPlan.Window,
        at now: Instant,
        in store: any LoaderStore
    ) throws(CommitError) -> RunID? {
        let began = shard.steadyClock()
        let last = try store.deleteRuns(
            shard: shard.id,
            of: window.namespaces,
            closedBefore: now + Interval(nanoseconds: -window.retention.nanoseconds),
            after: window.after,
            before: window.before,
            limit: retentionStep.limit
        )
        retentionStep.took(shard.steadyClock() - began)
        return last
    }
}
