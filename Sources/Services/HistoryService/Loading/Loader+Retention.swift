internal import SagamoreEngine
internal import SagamorePersistence

extension Loader {
    /// One step of deleting what is past its retention; the next one comes as soon as nothing else waits.
    func retain() {
        guard shard.perform({ shard.state.ownership.isOwned }) else { return }
        let now = shard.clock()
        let step = withStore { (store) throws(CommitError) -> Bool in
            let limit = 200
            let traces = try store.deleteTraces(
                before: now + Interval(nanoseconds: -shard.configuration.inboxRetention.nanoseconds),
                limit: limit
            )
            if retention.next == nil {
                retention.begin(try store.retentions(), at: now, steady: shard.steadyClock())
            }
            guard let window = retention.next else { return traces == limit }
            let last = try store.deleteRuns(
                shard: shard.id,
                of: window.namespaces,
                closedBefore: now + Interval(nanoseconds: -window.retention.nanoseconds),
                after: window.after,
                before: window.before,
                limit: limit
            )
            retention.advance(past: last)
            return traces == limit || retention.next != nil
        }
        if case .success(true) = step { shard.loads.add(.retain) }
    }
}
