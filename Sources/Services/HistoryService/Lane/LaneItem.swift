internal import SagamoreEngine
internal import SagamorePersistence
internal import SagamoreServices

/// A transition to be committed, with the replies and calls to release afterwards.
///
/// Unchecked: filled in under the shard's lock before it is queued, and only read afterwards.
final class LaneItem: @unchecked Sendable {
    var journal: JournalRow?
    /// The run's history with `journal`.
    var history: CommittedHistory?
    /// The run's state after the transition, if it is written with it.
    var snapshot: SnapshotRow?
    var newRun: RunRow?
    /// The new run's workflow was not looked up. The commit checks that it has no other run.
    var assumesNew = false
    var closing: RunClosing?
    /// A change of what lists show of the run, besides its end.
    var listingChange: RunListingChange?
    /// The run closed before, and has settled its last debt.
    var endsDebts = false
    var alarm: AlarmChange.Change?
    var inbox: InboxRow?
    var heartbeat: HeartbeatRow?
    /// The run has closed, and has rows of heartbeats.
    var endsHeartbeats = false
    var backlog: [BacklogChange] = []
    /// The run has closed, and may have rows in the backlog.
    var endsBacklog = false
    /// The run begins with the history of another one.
    var reset: RunReset?
    /// The run is deleted: this one, or one that is out of memory.
    var deletion: RunDeletion?
    var outbox: [OutboxRecord] = []
    /// What becomes of the command or the saga, for those who watch; nil while nothing does.
    var outcome: SagaOutcome?
    /// Workflow tasks to offer to Matching after the commit. Offered earlier, they would only keep polls waiting.
    var offers: [MatchingTask] = []
    /// The events from which the run owes something new to another workflow.
    var debts: [Int64] = []
    /// What the transition means for updates, for their callers.
    var updates: [UpdateNews] = []
    /// No busy family has brought it.
    var isCalm = true
    let context: WorkflowContext?
    let run: CachedRun?
    /// Another run that the decision depends on: the predecessor of a started run, or the run that caused a command to
    /// be rejected. If that run cannot be stored, the item is refused with it.
    var basis: CachedRun?
    /// The end of the run that this item's run replaces. Both are written in one transaction, or neither: no run ends
    /// for a successor that does not begin.
    var ending: LaneItem?
    /// Set where a limit ended the run in place of what was asked: the caller's answer once that is committed.
    var refusal: RequestError?
    /// Called without the lock after the commit.
    var release: (@Sendable () -> Void)?
    /// Called without the lock if the item cannot be committed.
    var refuse: (@Sendable (LaneFailure) -> Void)?

    init(context: WorkflowContext?, run: CachedRun?) {
        self.context = context
        self.run = run
    }

    var hasRows: Bool {
        journal != nil || newRun != nil || closing != nil || alarm != nil || inbox != nil || !outbox.isEmpty
            || heartbeat != nil || !backlog.isEmpty || deletion != nil
    }

    var byteCount: Int {
        let rows = (journal.map { $0.events.count + $0.facts.count } ?? 0) + (heartbeat?.details.count ?? 0)
        let records = outbox.reduce(0) { $0 + ($1.value?.count ?? 0) }
        return rows + records + (snapshot?.state.count ?? 0) + (ending?.byteCount ?? 0)
    }

    /// Under the shard's lock: the item was queued, or was answered.
    func countUncommitted(_ change: Int) {
        run?.uncommitted += change
        ending?.countUncommitted(change)
    }

    /// Under the shard's lock: the item is in the database.
    func noteCommitted() {
        noteHistory()
        countUncommitted(-1)
    }

    private func noteHistory() {
        ending?.noteHistory()
        if let history { run?.noteCommitted(history) }
    }

    /// Whether it depends on a change that could not be stored. Called under the shard's lock.
    var isLost: Bool { run?.isDead == true || basis?.isDead == true }
}

/// Why a transition was not committed.
struct LaneFailure: Sendable {
    enum Reason: Sendable {
        case other
        /// The command was executed before.
        case knownCommand
        /// The workflow was assumed to be new but has a run.
        case knownWorkflow
        /// The run whose history a new run was to repeat is being deleted.
        case baseDeleted
    }

    let error: RequestError
    let reason: Reason

    init(_ error: RequestError, _ reason: Reason = .other) {
        self.error = error
        self.reason = reason
    }

    static let lost = LaneFailure(.unavailable("an earlier change could not be committed; try again"))
    static let fenced = LaneFailure(.unavailable("this node no longer owns the workflow; try again"))
    static let stopped = LaneFailure(.unavailable("the server is stopping; try again"))
}
