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

    /// The newest run, whether in memory or not; nil if there is none, it is deleted, or nothing is known.
    var row: RunRow? {
        switch state.current {
        case .unknown, .none, .deleted: nil
        case .closed(let row): state.deletions.contains(row.runID) ? nil : row
        case .parked(let row): row
        case .cached(let run): run.isDeleted ? nil : run.row
        }
    }

    /// The id of the newest run, also of one that is deleted. The next one gets a higher id.
    var newestRunID: RunID? {
        switch state.current {
        case .unknown, .none: nil
        case .closed(let row), .parked(let row): row.runID
        case .cached(let run): run.runID
        case .deleted(let runID): runID
        }
    }

    /// Whether this is the newest run, and it is deleted.
    func hasDeleted(_ runID: RunID) -> Bool { newestRunID == runID && row == nil }

    /// Whether nothing is known about the workflow, and no lookup is under way.
    var isUntouched: Bool {
        if case .unknown = state.current { return canLeave }
        return false
    }

    var canLeave: Bool {
        state.isSettled && !state.hasDebtors && state.deletions.isEmpty && historyWaiters.isEmpty
    }
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
