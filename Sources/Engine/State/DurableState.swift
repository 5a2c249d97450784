public import SagamoreAPI
public import SagamoreProtobuf

/// The sum of the journal's entries. Equal entries give equal durable states.
public struct DurableState: Equatable, Sendable {
    /// The workflow's type.
    public var workflowType = ""
    /// The task queue for workflow tasks.
    public var taskQueue = ""
    /// When the run was started.
    public var startedAt = Instant(nanoseconds: 0)
    /// The id of the request that started the run; empty if it had none.
    public var startRequestID = ""
    /// The id of the first run of the chain.
    public var firstRunID = ""
    /// The limit for the whole chain of runs; zero means none.
    public var executionTimeout = Interval.zero
    /// The limit for this run; zero means none.
    public var runTimeout = Interval.zero
    /// The limit for one workflow task.
    public var taskTimeout = Interval.zero
    /// The memo, including the workflow's changes.
    public var memo: RawMessage<Memo>?
    /// The search attributes, including the workflow's changes.
    public var searchAttributes: RawMessage<SearchAttributes>?
    /// The summary and details of the run, from its start.
    public var userMetadata: RawMessage<UserMetadata>?
    /// The priority for the run's tasks, if the start set one.
    public var priority: Priority?
    /// The command that started the run's chain, if one did.
    public var origin: CommandOrigin?
    /// The number of status events that the chain has published about that command.
    public var publishedStatusEvents = 0
    /// The attempt of a chain that retries, from 1.
    public var attempt: Int32 = 1
    /// When the time of the whole chain is over, in a run that continues it; nil in the first run, and without a limit.
    public var chainExpiration: Instant?
    /// What the next run needs of the start; nil when nothing follows the run by itself.
    public var recurrence: Recurrence?

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
    /// The number of facts that the run has written, including those that a snapshot has replaced.
    public var factCount: Int64 = 0
    /// The encoded size of these facts in bytes.
    public var factBytes: Int64 = 0

    /// The workflow task that is due or running, if any.
    public var workflowTask: WorkflowTask?
    /// How long the first workflow task waits after the start.
    public var firstTaskBackoff = Interval.zero
    /// When the start delay ends; nil when there is none, or it is over.
    public var firstTaskDueAt: Instant?
    /// The id of the WorkflowTaskStarted event of the last completed task; 0 before the first.
    public var previousStartedEventID: Int64 = 0
    /// The last workflow task that a worker completed.
    public var completedTask: Fact.CompletedWorkflowTask?
    /// The builds of the workers that have completed workflow tasks of the run: the newest 20, oldest first.
    public var builds: [WorkerBuild] = []
    /// The index in `builds` of the one that has completed the last workflow task; 0 without one.
    public var latestBuild = 0
    /// Where builds have begun to work on earlier runs of the chain, oldest first.
    public var earlierResetPoints: [ResetPointInfo] = []
    /// The sticky queue of the worker that has the run in its cache; empty when there is none.
    public var stickyQueue = ""
    /// How long a task may wait in the sticky queue.
    public var stickyScheduleToStart = Interval.zero
    /// The last workflow task failed because its code closed the run before it had seen all events. While the task is
    /// retried, signals have to wait: a steady stream of them would keep the run open for ever.
    public var closeWasRefused = false

    /// Pending activities by the id of ActivityTaskScheduled.
    public var activities: [Int64: PendingActivity] = [:]
    /// The keys of `activities` by the activity id that the workflow chose.
    public var activityIDs: [ExactText: Int64] = [:]
    /// Pending timers by the id of TimerStarted.
    public var timers: [Int64: PendingTimer] = [:]
    /// The keys of `timers` by the timer id that the workflow chose.
    public var timerIDs: [ExactText: Int64] = [:]
    /// Events buffered until the running workflow task ends, oldest first.
    public var bufferedEvents: [HistoryEvent] = []
    /// The encoded size of the buffered events, in bytes.
    public var bufferedBytes = 0
    /// The ids of requests that took effect, except the start's.
    public var requestIDs: Set<ExactText> = []
    /// The ids of starts that have used this run, with the event that attached each; 0 while the event is buffered.
    public var attachedRequestIDs: [ExactText: Int64] = [:]
    /// The number of signals that the run has received.
    public var signalCount = 0

    /// When the reset began that this run goes on from; nil for a run that no reset began.
    public var lastResetAt: Instant?
    /// When the run whose history this one repeats was started; nil for a run that no reset began.
    public var originalStartedAt: Instant?
    /// The id of the request for the reset that began this run; empty without one.
    public var resetRequestID = ""

    /// The schedule that started the run's chain.
    public var schedule: Lineage.Schedule?
    /// The parent, if the run is a child.
    public var parent: Lineage.Parent?
    /// The root of the tree; nil when it is this run.
    public var root: Lineage.Root?
    /// Pending children by the id of StartChildWorkflowExecutionInitiated.
    public var children: [Int64: PendingChild] = [:]
    /// The SignalExternalWorkflowExecutionInitiated events of signals without an outcome, by their ids.
    public var signals: [Int64: HistoryEvent] = [:]
    /// The RequestCancelExternalWorkflowExecutionInitiated events of requests without an outcome, by their ids.
    public var cancels: [Int64: HistoryEvent] = [:]
    /// The children of a closed run that have to be ended, by the keys of `children`.
    public var childrenToEnd: Set<Int64> = []
    /// The last event of a closed run whose parent, or schedule, has not been told of it.
    public var unreportedEnd: HistoryEvent?

    /// The updates in the history that have no outcome yet, by their ids.
    public var updates: [ExactText: OpenUpdate] = [:]
    /// The events with the outcomes of the completed updates, by their ids.
    public var completedUpdates: [ExactText: Int64] = [:]

    /// Whether the run is open.
    public var isRunning: Bool { status == .running }
    /// When the run times out, or never. A start delay does not count.
    public var runDeadline: Instant {
        runTimeout.isSet ? min(startedAt + firstTaskBackoff + runTimeout, executionDeadline) : .distantFuture
    }
    /// When the chain of runs times out, or never.
    public var executionDeadline: Instant {
        chainExpiration ?? (executionTimeout.isSet ? startedAt + executionTimeout : .distantFuture)
    }
}

/// State that is deliberately lost with the process.
public struct VolatileState: Sendable {
    /// The workflow task that a worker holds.
    public var startedTask: StartedWorkflowTask?
    /// The due or running workflow task that no event shows. Nil while `DurableState` has one.
    public var speculativeTask: WorkflowTask?
    /// The updates that the workflow has not accepted yet, in order of arrival.
    public var updates: [PendingUpdate] = []
    /// Whether the sticky worker is considered gone, so that tasks go to the normal queue.
    public var stickyAbandoned = false
    /// The newest heartbeats by the id of ActivityTaskScheduled.
    public var heartbeats: [Int64: Heartbeat] = [:]
    /// Upcoming deadlines. They can be rebuilt from the durable state.
    public var deadlines = DeadlineHeap()
}

/// One run of a workflow.
///
/// `decide` (in `Decide/`) inspects the execution and returns what should happen; `apply` (in `Apply/`) carries it out.
/// `decide` changes nothing, `apply` never fails, and applying the same journal again gives the same durable state.
public struct Execution: Sendable {
    /// The workflow that the run belongs to.
    public let key: WorkflowKey
    /// The id of the run.
    public let runID: RunID
    /// The sum of the journal's entries.
    public internal(set) var durable = DurableState()
    /// State that is deliberately lost with the process.
    public internal(set) var volatile = VolatileState()

    /// A run without state: its entries are applied to it.
    public init(key: WorkflowKey, runID: RunID) {
        self.key = key
        self.runID = runID
    }

    /// A run with the state of a snapshot; entries after the snapshot are applied to it. Its deadlines have to be
    /// rebuilt.
    public init(key: WorkflowKey, runID: RunID, state: DurableState) {
        self.init(key: key, runID: runID)
        durable = state
    }

    /// Whether the run is open.
    public var isRunning: Bool { durable.isRunning }
    /// The id that the next event gets.
    public var nextEventID: Int64 { durable.lastEventID + 1 }

    /// The workflow task that is due or runs, written or not.
    public var workflowTask: WorkflowTask? { durable.workflowTask ?? volatile.speculativeTask }

    /// Whether events from outside are buffered: while a worker holds a workflow task, and while earlier events are
    /// buffered.
    var buffersEvents: Bool { volatile.startedTask != nil || !durable.bufferedEvents.isEmpty }

    /// When `decideDue` has to be asked next; nil when nothing is pending.
    public var nextDeadline: Instant? { isRunning ? volatile.deadlines.earliest : nil }
}
