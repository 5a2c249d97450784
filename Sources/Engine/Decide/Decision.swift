public import SagamoreAPI
public import SagamoreProtobuf

/// What `decide` returns: entries to append, tasks to offer, events for the outside, and what to answer.
public struct Decision: Sendable {
    /// What to append to the journal and apply, in order.
    public var entries: [Entry] = []
    /// Tasks that Matching may hand out.
    public var offers: [TaskOffer] = []
    /// What to publish about the command that caused the decision, or about the one that started the run.
    public var statusEvents: [StatusEvent] = []
    /// The answer to the request.
    public var reply: Reply = .done

    /// A decision that changes nothing.
    public init() {}

    /// What the requester receives.
    public enum Reply: Sendable {
        /// Nothing but success.
        case done
        /// The workflow task that was started.
        case workflowTask(WorkflowTaskDelivery)
        /// The attempt of an activity that was started.
        case activityTask(ActivityTaskDelivery)
        /// The answer to a heartbeat: whether the workflow asked to cancel the activity.
        case heartbeat(cancelRequested: Bool)
        /// The answer to a completed workflow task.
        case completion(WorkflowTaskCompletion)
        /// Something was recorded, and yet the request was refused.
        case refused(RequestError)
    }

    /// Whether something has to be committed before anybody may hear of it.
    public var isDurable: Bool { !statusEvents.isEmpty || entries.contains { $0.isDurable } }
}

/// A task that Matching may give to a poller. It names what is due; whether it still is gets decided when it starts.
public enum TaskOffer: Sendable, Equatable {
    /// - Parameters:
    ///   - stickyQueue: the queue of the worker that has the run in its cache; empty for none.
    case workflow(taskQueue: String, stickyQueue: String, stamp: WorkflowTaskStamp)
    /// An attempt of an activity for the pollers of its task queue.
    case activity(taskQueue: String, scheduledEventID: Int64, attempt: Int32)
}

/// What tells one due workflow task from another one of the same run.
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

/// A workflow task as a worker gets it. The shell adds the bytes of the history.
public struct WorkflowTaskDelivery: Sendable {
    /// The task that the worker holds now.
    public let task: StartedWorkflowTask
    /// The workflow's type, by which the worker finds its code.
    public let workflowType: String
    /// The id of the last WorkflowTaskStarted that a worker completed, or 0.
    public let previousStartedEventID: Int64
    /// The worker has the run in its cache: it gets only what came since `previousStartedEventID`.
    public let isSticky: Bool
    /// Events at the end of what the worker sees that are not written yet: Started, before it a later attempt's
    /// Scheduled.
    public let unwrittenEvents: [RecordedEvent]
    /// The id of the newest event that is written.
    public let lastWrittenEventID: Int64
}

/// An attempt of an activity as a worker gets it.
public struct ActivityTaskDelivery: Sendable {
    /// The activity with the attempt that runs.
    public let activity: PendingActivity
    /// The type of the workflow that scheduled it.
    public let workflowType: String
    /// When the attempt started.
    public let startedAt: Instant
    /// What its token carries.
    public let nonce: UInt64
    /// The details of the last heartbeat of an earlier attempt.
    public let heartbeatDetails: RawMessage<Payloads>?
}

/// The answer to a completed workflow task.
public struct WorkflowTaskCompletion: Sendable {
    /// Activities that the worker asked to run at once, without a poll.
    public var eagerActivities: [ActivityTaskDelivery] = []
    /// A further task of this run, started for the same worker, where it asked for that.
    public var nextTask: WorkflowTaskDelivery?
}
