public import SagamoreAPI
public import SagamoreProtobuf

/// What the journal's entries add up to. Two executions with the same entries have equal durable states.
public struct DurableState: Equatable, Sendable {
    /// The workflow's type.
    public var workflowType = ""
    /// The task queue for workflow tasks.
    public var taskQueue = ""
    /// When the run was started.
    public var startedAt = Instant(nanoseconds: 0)
    /// The id of the request that started the run; empty where it had none.
    public var startRequestID = ""
    /// The id of the first run of the chain.
    public var firstRunID = ""
    /// The limit for the whole chain of runs; zero means none.
    public var executionTimeout = Interval.zero
    /// The limit for this run; zero means none.
    public var runTimeout = Interval.zero
    /// The limit for one workflow task.
    public var taskTimeout = Interval.zero
    /// The memo, with the workflow's changes.
    public var memo: RawMessage<Memo>?
    /// The search attributes, with the workflow's changes.
    public var searchAttributes: RawMessage<SearchAttributes>?
    /// The priority for the run's tasks, if the start set one.
    public var priority: Priority?
    /// The command that started this run, if one did.
    public var origin: CommandOrigin?

    /// Whether the run is open, and how it closed.
    public var status = WorkflowExecutionStatus.running
    /// When the run closed.
    public var closedAt: Instant?
    /// Whether a cancellation was requested.
    public var cancelRequested = false

    /// The id of the newest event; event ids count from 1 without gaps.
    public var lastEventID: Int64 = 0
    /// The encoded history's size in bytes.
    public var historyBytes: Int64 = 0
    /// The number of facts that the run has written, those that a snapshot made superfluous included.
    public var factCount: Int64 = 0
    /// The encoded size of these facts in bytes.
    public var factBytes: Int64 = 0

    /// The workflow task that is due or running, if any.
    public var workflowTask: WorkflowTask?
    /// How long the first workflow task waits after the start.
    public var firstTaskBackoff = Interval.zero
    /// The first workflow task waits until then (a start delay); nil when none is waited for.
    public var firstTaskDueAt: Instant?
    /// The id of the WorkflowTaskStarted event of the last completed task; 0 before the first.
    public var previousStartedEventID: Int64 = 0
    /// The last workflow task that a worker completed.
    public var completedTask: Fact.CompletedWorkflowTask?
    /// The worker that has this run in its cache, by the queue it polls; empty when none.
    public var stickyQueue = ""
    /// How long a task may wait in the sticky queue.
    public var stickyScheduleToStart = Interval.zero
    /// The last workflow task failed because its code ended the run with something unseen. While the task is tried
    /// again, signals have to wait: a steady stream of them would keep the run open for ever.
    public var closeWasRefused = false

    /// Pending activities by the id of ActivityTaskScheduled.
    public var activities: [Int64: PendingActivity] = [:]
    /// The keys of `activities` by the activity id that the workflow chose.
    public var activityIDs: [ExactText: Int64] = [:]
    /// Pending timers by the id of TimerStarted.
    public var timers: [Int64: PendingTimer] = [:]
    /// The keys of `timers` by the timer id that the workflow chose.
    public var timerIDs: [ExactText: Int64] = [:]
    /// Events that wait for the end of the running workflow task, oldest first.
    public var bufferedEvents: [HistoryEvent] = []
    /// The size of the events that wait, encoded.
    public var bufferedBytes = 0
    /// The ids of the requests to this run that took effect, its start's excepted.
    public var requestIDs: Set<ExactText> = []
    /// The number of signals that the run has received.
    public var signalCount = 0

    /// Whether the run is open.
    public var isRunning: Bool { status == .running }
    /// A start delay does not count against the run.
    public var runDeadline: Instant { runTimeout.isSet ? startedAt + firstTaskBackoff + runTimeout : .distantFuture }
    /// When the chain of runs times out, or never.
    public var executionDeadline: Instant { executionTimeout.isSet ? startedAt + executionTimeout : .distantFuture }
}

/// What is lost with the process, on purpose.
public struct VolatileState: Sendable {
    /// The workflow task that a worker holds.
    public var startedTask: StartedWorkflowTask?
    /// Whether the sticky worker was given up, so that tasks go to the normal queue.
    public var stickyAbandoned = false
    /// The newest heartbeats by the id of ActivityTaskScheduled.
    public var heartbeats: [Int64: Heartbeat] = [:]
    /// What is due and when. It can be rebuilt from the durable state.
    public var deadlines = DeadlineHeap()
}

/// One run of a workflow.
///
/// `decide` (see `Decide/`) looks at it and returns what should happen, `apply` (see `Apply/`) makes it so. `decide`
/// never changes anything; `apply` never fails; applying the journal again gives the same durable state.
public struct Execution: Sendable {
    /// The workflow that the run belongs to.
    public let key: WorkflowKey
    /// The id of the run.
    public let runID: RunID
    /// What the journal's entries add up to.
    public internal(set) var durable = DurableState()
    /// What is lost with the process.
    public internal(set) var volatile = VolatileState()

    /// A run of which nothing is known yet: entries are applied to it.
    public init(key: WorkflowKey, runID: RunID) {
        self.key = key
        self.runID = runID
    }

    /// A run with the state that a snapshot holds: entries behind the snapshot are applied to it. Its deadlines have to
    /// be rebuilt.
    public init(key: WorkflowKey, runID: RunID, state: DurableState) {
        self.init(key: key, runID: runID)
        durable = state
    }

    /// Whether the run is open.
    public var isRunning: Bool { durable.isRunning }
    /// The id that the next event gets.
    public var nextEventID: Int64 { durable.lastEventID + 1 }

    /// Whether events from outside wait: while a worker has a workflow task, and behind others that wait still.
    var buffersEvents: Bool { volatile.startedTask != nil || !durable.bufferedEvents.isEmpty }

    /// The time at which `decide` has to be asked for what is due; nil when nothing is waited for.
    public var nextDeadline: Instant? { isRunning ? volatile.deadlines.earliest : nil }
}
