internal import SagamoreServices

/// What was decided under a shard's lock and calls others (Matching, callers, listeners). It is collected under the
/// lock and carried out without it, by `Shard.perform`.
struct DeferredActions {
    typealias Action = @Sendable () -> Void

    /// What can be carried out as soon as the lock is free: first the offers, then what is committed in the order of
    /// the commit, then the calls in order.
    struct Due {
        fileprivate let offers: [MatchingTask]
        fileprivate let committed: ArraySlice<LaneItem>
        fileprivate let calls: [Action]

        /// Called without the lock.
        func carryOut(_ matching: () -> (any MatchingClient)?) {
            if !offers.isEmpty || !committed.isEmpty {
                let matching = matching()
                for offer in offers { matching?.offer(offer) }
                for item in committed {
                    item.release?()
                    for offer in item.offers { matching?.offer(offer) }
                }
            }
            for call in calls { call() }
        }
    }

    private var offers: [MatchingTask] = []
    private var committed: ArraySlice<LaneItem> = []
    private var calls: [Action] = []
    /// What failed, and what nobody else will ask for again.
    private var retries: [Action] = []

    var retryCount: Int { retries.count }

    mutating func offer(_ task: MatchingTask) { offers.append(task) }

    mutating func offer(_ tasks: [MatchingTask]) { offers += tasks }

    /// Has items released that are committed.
    mutating func release(_ items: ArraySlice<LaneItem>) {
        committed = committed.isEmpty ? items : committed + items
    }

    mutating func call(_ action: @escaping Action) { calls.append(action) }

    /// Has an action tried again at the timer's next sweep while the database can be reached.
    mutating func retryLater(_ action: @escaping Action) { retries.append(action) }

    /// The time for retries has come.
    mutating func retry() {
        calls += retries
        retries = []
    }

    /// The shard is dropped.
    mutating func cancelRetries() { retries = [] }

    mutating func take() -> Due {
        let due = Due(offers: offers, committed: committed, calls: calls)
        if !offers.isEmpty { offers = [] }
        if !committed.isEmpty { committed = [] }
        if !calls.isEmpty { calls = [] }
        return due
    }
}
