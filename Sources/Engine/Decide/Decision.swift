public import SagamoreAPI
public import SagamoreProtobuf

/// The result of `decide`: entries to append, tasks to offer, status events to publish, and the reply.
public struct Decision: Sendable {
    /// The entries to append to the journal and apply, in order.
    public var entries: [Entry] = []
    /// The tasks to offer to Matching.
    public var offers: [TaskOffer] = []
    /// The events from which the run owes something new to another workflow, to be delivered after the commit.
    public var debts: [Int64] = []
    /// Status events of the command that caused the decision, or of the one that started the run.
    public var statusEvents: [StatusEvent] = []
    /// The run that follows the one that this decision ends.
    public var successor: Successor?
    /// What becomes of updates, for their callers.
    public var updates: [UpdateNews] = []
    /// The step that it begins: the type of the last activity or child that it starts.
    public var step: String?
    /// It changes the memo or the search attributes.
    public var changesListing = false
    /// The decision begins to undo a step of a saga.
    public var undoes = false
    /// How a saga whose steps were undone has ended with this decision.
    public var compensation: Compensation?
    /// The reply to the request.
    public var reply: Reply = .done

    /// A decision that changes nothing.
    public init() {}

    /// Whether everything that the steps of a saga did was undone.
    public enum Compensation: Sendable {
        /// Everything was.
        case complete
        /// Something was not: somebody has to look at it.
        case failed
    }

    /// A reply to the requester.
    public enum Reply: Sendable {
        /// Success without content.
        case done
        /// The started workflow task.
        case workflowTask(WorkflowTaskDelivery)
        /// The started attempt of an activity.
        case activityTask(ActivityTaskDelivery)
        /// The reply to a heartbeat.
        case heartbeat(HeartbeatAnswer)
        /// The options of the last activity that an operator's action was about.
        case activityOptions(ActivityOptions)
        /// The options of the run.
        case options(WorkflowExecutionOptions)
        /// The reply to a completed workflow task.
        case completion(WorkflowTaskCompletion)
        /// The request was refused, although something was recorded.
        case refused(RequestError)
    }

    /// Whether something must be committed before the reply is released.
    public var isDurable: Bool { !statusEvents.isEmpty || entries.contains { $0.isDurable } }
}

/// A task that Matching may give to a poller. Whether it is still due is decided when it starts.
public enum TaskOffer: Sendable, Equatable {
    /// - Parameters:
    ///   - stickyQueue: the queue of the worker that has the run in its cache; empty for none.
    case workflow(route: TaskRoute, stickyQueue: String, stamp: WorkflowTaskStamp)
    /// An attempt of an activity for the pollers of its task queue.
    ///
    /// - Parameters:
    ///   - attempt: `ActivityMachine.number`. It is the attempt unless an operator has intervened.
    case activity(route: TaskRoute, scheduledEventID: Int64, attempt: Int32)
}

/// Identifies a due workflow task among those of its run.
public struct WorkflowTaskStamp: Hashable, Sendable {
    /// The id of the task's WorkflowTaskScheduled.
    public let scheduledEventID: Int64
    /// The number of the attempt, from 1.
    public let attempt: Int32

    public init(scheduledEventID: Int64, attempt: Int32) {
        self.scheduledEventID = scheduledEventID
        self.attempt = attempt
    }
}

/// A workflow task for a worker. The shell adds the bytes of the history.
public struct WorkflowTaskDelivery: Sendable {
    /// The started task.
    public let task: StartedWorkflowTask
    /// The workflow's type.
    public let workflowType: String
    /// The id of the last WorkflowTaskStarted that a worker completed, or 0.
    public let previousStartedEventID: Int64
    /// Whether the worker has the run in its cache, so that it gets only the events after `previousStartedEventID`.
    public let isSticky: Bool
    /// What the worker is asked beside the events: the updates that it has to answer.
    public let messages: [ProtocolMessage]
    /// Unwritten events at the end of the worker's history: Started, preceded by Scheduled for a later attempt.
    public let unwrittenEvents: [RecordedEvent]
    /// The id of the last written event.
    public let lastWrittenEventID: Int64
}

/// What a worker learns from the answer to a heartbeat.
public struct HeartbeatAnswer: Equatable, Sendable {
    /// Whether the activity is to stop because its workflow has requested its cancellation, or because it has failed.
    public var cancelRequested = false
    /// Whether the activity is to stop because an operator has paused it.
    public var isPaused = false
    /// Whether the activity is to stop and start over because an operator has reset it.
    public var isReset = false

    public init(cancelRequested: Bool = false, isPaused: Bool = false, isReset: Bool = false) {
        self.cancelRequested = cancelRequested
        self.isPaused = isPaused
        self.isReset = isReset
    }
}

/// An attempt of an activity for a worker.
public struct ActivityTaskDelivery: Sendable {
    /// The activity with its running attempt.
    public let activity: PendingActivity
    /// The type of the workflow that scheduled it.
    public let workflowType: String
    /// When the attempt started.
    public let startedAt: Instant
    /// The contents of its token.
    public let nonce: UInt64
    /// The details of the last heartbeat of an earlier attempt.
    public let heartbeatDetails: RawMessage<Payloads>?
    /// The activity's priority, with what it inherits from the run.
    public let priority: Priority?
}

/// The reply to a completed workflow task.
public struct WorkflowTaskCompletion: Sendable {
    /// Eager activities, which the worker runs without a poll.
    public var eagerActivities: [ActivityTaskDelivery] = []
    /// The run's next task, started for the same worker if it requested that.
    public var nextTask: WorkflowTaskDelivery?
    /// The event to which the worker goes back because its task has left no trace; nil when it was written.
    public var resetHistoryEventID: Int64?
}
