public import SagamoreAPI
public import SagamoreEngine
internal import SagamoreProtobuf

/// A start that a schedule owes: at a time of its spec, or because somebody asked for it.
public struct DueStart: Equatable, Sendable {
    /// Tells it from all other starts of the schedule, before and after a restart of the server alike.
    public let id: String
    /// The time that it is for, without jitter.
    public let nominal: Instant
    /// The same with the jitter.
    public let scheduled: Instant
    /// Unspecified: the schedule's own, as it is when the start's turn comes.
    public let policy: ScheduleOverlapPolicy
    /// Whether somebody asked for it, so that neither a pause nor a limit of actions stops it.
    public let isManual: Bool

    /// The id of a start at a time of the schedule.
    static func id(at nominal: Instant) -> String { "s\(nominal.nanoseconds)" }

    /// The time of the schedule that a start with this id is for; nil for one that somebody asked for.
    static func time(of id: String) -> Instant? {
        id.hasPrefix("s") ? Int64(id.dropFirst()).map { Instant(nanoseconds: $0) } : nil
    }

    init(id: String, nominal: Instant, scheduled: Instant, policy: ScheduleOverlapPolicy, isManual: Bool) {
        self.id = id
        self.nominal = nominal
        self.scheduled = scheduled
        self.policy = policy
        self.isManual = isManual
    }
}

/// A start that was decided. What came of it is not known yet.
public struct PendingStart: Equatable, Sendable {
    /// What it is for.
    public let due: DueStart
    /// The workflow's id.
    public let workflowID: String
    /// When it was decided.
    public let decidedAt: Instant
    /// Whether other starts have regard to the run.
    public let isTracked: Bool

    init(due: DueStart, workflowID: String, decidedAt: Instant, isTracked: Bool) {
        self.due = due
        self.workflowID = workflowID
        self.decidedAt = decidedAt
        self.isTracked = isTracked
    }
}

/// A run that other starts have regard to. It stands for its whole chain.
public struct TrackedRun: Equatable, Sendable {
    /// What is asked of a run that is in the way.
    public enum Wish: Int32, Sendable {
        /// Nothing, that it ends by itself when it likes, or that it ends at once.
        case none, cancel, terminate
    }

    /// The id of the start.
    public let startID: String
    /// The workflow's id.
    public let workflowID: String
    /// The first run of the chain.
    public let runID: RunID
    /// What has been decided about it.
    public internal(set) var wish: Wish

    init(startID: String, workflowID: String, runID: RunID, wish: Wish = .none) {
        self.startID = startID
        self.workflowID = workflowID
        self.runID = runID
        self.wish = wish
    }

    /// As the contract shows it.
    var execution: WorkflowExecution {
        var execution = WorkflowExecution()
        execution.workflowID = workflowID
        execution.runID = runID.description
        return execution
    }
}

/// Times of the past, or of the future, whose starts somebody asked for.
struct Backfill: Equatable, Sendable {
    /// Its number among those of the schedule.
    let number: Int64
    /// The last nominal time that is done.
    var doneTo: Instant
    /// The last time, included.
    let end: Instant
    let policy: ScheduleOverlapPolicy
}
