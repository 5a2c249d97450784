internal import SagamoreEngine
internal import SagamorePersistence
internal import SagamoreServices

/// A workflow in memory: its current run, closed runs with debts, and the requests that wait for it.
///
/// Unchecked: `key` never changes. Everything else is used under the shard's lock.
final class WorkflowContext: @unchecked Sendable {
    let key: WorkflowKey
    var state = WorkflowContextState()
    /// A run was discarded together with its workers' heartbeats. When it is reloaded, workers get time to report
    /// again.
    var hasLostReports = false
    /// Long polls for history.
    var historyWaiters: [HistoryWaiter] = []

    init(_ key: WorkflowKey) {
        self.key = key
    }

    var current: WorkflowContextState.Current { state.current }

    var cached: CachedRun? {
        if case .cached(let run) = state.current { return run }
        return nil
    }

    /// The newest run, whether in memory or not; nil if there is none or nothing is known.
    var row: RunRow? {
        switch state.current {
        case .unknown, .none: nil
        case .closed(let row), .parked(let row): row
        case .cached(let run): run.row
        }
    }

    /// Whether nothing is known about the workflow, and no lookup is under way.
    var isUntouched: Bool {
        if case .unknown = state.current { return canLeave }
        return false
    }

    var canLeave: Bool { state.isSettled && !state.hasDebtors && historyWaiters.isEmpty }
}

/// A long poll for history.
struct HistoryWaiter {
    let runID: RunID
    /// The newest event that the caller has seen.
    let afterEventID: Int64
    let onlyCloseEvent: Bool
    let deadline: Instant
    /// Called without the lock once there are newer committed events. If the run has closed, `closeFrame` is its last
    /// event.
    let notify: @Sendable (_ closeFrame: [UInt8]?) -> Void
    let expire: @Sendable () -> Void
}
