internal import SagamoreEngine
internal import SagamorePersistence
internal import SagamoreServices

/// A workflow id in memory: its current run, and who waits for it.
final class WorkflowSlot: @unchecked Sendable {
    enum Current {
        /// It has to be looked up.
        case unknown
        /// There never was a run.
        case none
        /// The newest run is closed, and not in memory.
        case closed(RunRow)
        /// The newest run is open, and out of memory.
        case parked(RunRow)
        case cached(CachedRun)
    }

    let key: WorkflowKey
    var current = Current.unknown
    /// Requests that wait for the loader, in order.
    var waiting: [LoadWaiter] = []
    /// The loader has been told.
    var isLoading = false
    /// Its run has to come back to memory even if nobody asks: it has tasks and timers.
    var mustLoad = false
    /// Long polls for history.
    var historyWaiters: [HistoryWaiter] = []

    init(_ key: WorkflowKey) {
        self.key = key
    }

    var cached: CachedRun? {
        if case .cached(let run) = current { return run }
        return nil
    }

    /// The newest run, whether in memory or not; nil when unknown or none.
    var row: RunRow? {
        switch current {
        case .unknown, .none: nil
        case .closed(let row), .parked(let row): row
        case .cached(let run): run.row
        }
    }

    /// Whether a request that needs no command looked up can go on at once. An open run has to be in memory.
    var isReady: Bool {
        switch current {
        case .none, .closed, .cached: true
        case .unknown, .parked: false
        }
    }

    /// Nothing is known of it, and nobody is about to find out.
    var isUntouched: Bool {
        if case .unknown = current { return canLeave }
        return false
    }

    var canLeave: Bool { waiting.isEmpty && !isLoading && !mustLoad && historyWaiters.isEmpty }
}

/// A request that waits until its workflow is in memory.
struct LoadWaiter: Sendable {
    /// The command to look up with it; empty for none.
    let commandID: String
    let proceed: @Sendable (Shard, WorkflowSlot, _ isKnownCommand: Bool) -> Void
    let refuse: @Sendable (RequestError) -> Void
}

/// A long poll for history.
struct HistoryWaiter {
    let runID: RunID
    /// News is an event with a higher id.
    let afterEventID: Int64
    let onlyCloseEvent: Bool
    let deadline: Instant
    /// Called without the lock, when there is news that is committed; of a run that has closed, with the frame of its
    /// last event.
    let news: @Sendable (_ closeFrame: [UInt8]?) -> Void
    let expire: @Sendable () -> Void
}
