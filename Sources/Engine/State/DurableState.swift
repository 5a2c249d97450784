public import SagamoreAPI
public import SagamoreProtobuf

/// What the journal's entries add up to. Two executions with the same entries have equal durable states.
public struct DurableState: Equatable, Sendable {
    public var workflowType = ""
    public var taskQueue = ""
    public var startedAt = Instant(nanoseconds: 0)
    /// The id of the request that started the run; empty where it had none.
    public var startRequestID = ""
    public var firstRunID = ""
    public var executionTimeout = Interval.zero
    public var runTimeout = Interval.zero
    public var taskTimeout = Interval.zero
    public var memo: RawMessage<Memo>?
    public var searchAttributes: RawMessage<SearchAttributes>?
    public var priority: Priority?
    /// The command that started this run, if one did.
    public var origin: CommandOrigin?

    public var status = WorkflowExecutionStatus.running
    public var closedAt: Instant?
    public var cancelRequested = false

    /// The id of the newest event; event ids count from 1 without gaps.
    public var lastEventID: Int64 = 0
    /// The encoded history's size in bytes.
    public var historyBytes: Int64 = 0
    /// The facts that the journal holds, and their encoded size in bytes: what a load reads besides the history.
    public var factCount: Int64 = 0
    public var factBytes: Int64 = 0

    public var workflowTask: WorkflowTask?
    public var firstTaskBackoff = Interval.zero
    /// The first workflow task waits until then (a start delay); nil when none is waited for.
    public var firstTaskDueAt: Instant?
    /// The id of the WorkflowTaskStarted event of the last completed task; 0 before the first.
    public var previousStartedEventID: Int64 = 0
    public var completedTask: Fact.CompletedWorkflowTask?
    /// The worker that has this run in its cache, by the queue it polls; empty when none.
    public var stickyQueue = ""
    public var stickyScheduleToStart = Interval.zero

    public var activities: [Int64: PendingActivity] = [:]
    public var activityIDs: [ExactText: Int64] = [:]
    public var timers: [Int64: PendingTimer] = [:]
    public var timerIDs: [ExactText: Int64] = [:]
    /// Events that wait for the end of the running workflow task, oldest first.
    public var bufferedEvents: [HistoryEvent] = []
    /// The size of the events that wait, encoded.
    public var bufferedBytes = 0
    /// The ids of the requests to this run that took effect, its start's excepted.
    public var requestIDs: Set<ExactText> = []
    public var signalCount = 0

    public var isRunning: Bool { status == .running }
    /// A start delay does not count against the run.
    public var runDeadline: Instant { runTimeout.isSet ? startedAt + firstTaskBackoff + runTimeout : .distantFuture }
    public var executionDeadline: Instant { executionTimeout.isSet ? startedAt + executionTimeout : .distantFuture }
}

/// What is lost with the process, on purpose.
public struct VolatileState: Sendable {
    public var startedTask: StartedWorkflowTask?
    public var stickyAbandoned = false
    /// The last workflow task failed because its code ended the run with something unseen. While it is tried again
    /// signals have to wait: a steady stream of them would keep the run open for ever.
    public var closeWasRefused = false
    public var heartbeats: [Int64: Heartbeat] = [:]
    public var deadlines = DeadlineHeap()
}

/// One run of a workflow.
///
/// `decide` (see `Decide/`) looks at it and returns what should happen, `apply` (see `Apply/`) makes it so. `decide`
/// never changes anything; `apply` never fails; applying the journal again gives the same durable state.
public struct Execution: Sendable {
    public let key: WorkflowKey
    public let runID: RunID
    public internal(set) var durable = DurableState()
    public internal(set) var volatile = VolatileState()

    /// A run of which nothing is known yet: entries are applied to it.
    public init(key: WorkflowKey, runID: RunID) {
        self.key = key
        self.runID = runID
    }

    public var isRunning: Bool { durable.isRunning }
    public var nextEventID: Int64 { durable.lastEventID + 1 }

    /// Whether events from outside wait: while a worker has a workflow task, and behind others that wait still.
    var buffersEvents: Bool { volatile.startedTask != nil || !durable.bufferedEvents.isEmpty }

    /// The time at which `decide` has to be asked for what is due; nil when nothing is waited for.
    public var nextDeadline: Instant? { isRunning ? volatile.deadlines.earliest : nil }
}
