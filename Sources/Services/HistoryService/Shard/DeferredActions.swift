internal import SagamoreServices

/// Calls to others (Matching, callers, listeners) that were decided under a shard's lock. `Shard.perform` makes them
/// after the lock is released.
struct DeferredActions {
    typealias Action = @Sendable () -> Void

    /// Actions to carry out as soon as the lock is free: first updates that are sent again, then offers, then committed
    /// items in commit order, then calls in order.
    struct Due {
        fileprivate let updates: [Action]
        fileprivate let offers: [MatchingTask]
        fileprivate let committed: ArraySlice<LaneItem>
        fileprivate let calls: [Action]

        /// Called without the lock.
        func carryOut(_ matching: () -> (any MatchingClient)?) {
            for update in updates { update() }
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

    private var updates: [Action] = []
    private var offers: [MatchingTask] = []
    private var committed: ArraySlice<LaneItem> = []
    private var calls: [Action] = []
    /// Failed actions that no request will repeat.
    private var retries: [Action] = []

    var retryCount: Int { retries.count }

    mutating func offer(_ task: MatchingTask) { offers.append(task) }

    mutating func offer(_ tasks: [MatchingTask]) { offers += tasks }

    /// Releases committed items.
    mutating func release(_ items: ArraySlice<LaneItem>) {
        committed = committed.isEmpty ? items : committed + items
    }

    /// Sends an update of a closed run again: before the first task of the next run is offered, so that it brings the
    /// update.
    mutating func sendAgain(_ update: @escaping Action) { updates.append(update) }

    mutating func call(_ action: @escaping Action) { calls.append(action) }

    /// Repeats an action at the timer's next sweep, once the database can be reached.
    mutating func retryLater(_ action: @escaping Action) { retries.append(action) }

    /// Queues the actions that are to be repeated.
    mutating func retry() {
        calls += retries
        retries = []
    }

    /// Discards the actions that are to be repeated, because the shard is dropped.
    mutating func cancelRetries() { retries = [] }

    mutating func take() -> Due {
        let due = Due(updates: updates, offers: offers, committed: committed, calls: calls)
        if !updates.isEmpty { updates = [] }
        if !offers.isEmpty { offers = [] }
        if !committed.isEmpty { committed = [] }
        if !calls.isEmpty { calls = [] }
        return due
    }
}
