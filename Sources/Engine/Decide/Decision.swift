public import SagamoreAPI
public import SagamoreProtobuf

/// What `decide` returns: entries to append, tasks to offer, events for the outside, and what to answer.
public struct Decision: Sendable {
    public var entries: [Entry] = []
    public var offers: [TaskOffer] = []
    public var statusEvents: [StatusEvent] = []
    public var reply: Reply = .done

    public init() {}

    public enum Reply: Sendable {
        case done
        case workflowTask(WorkflowTaskDelivery)
        case activityTask(ActivityTaskDelivery)
        case heartbeat(cancelRequested: Bool)
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
    case activity(taskQueue: String, scheduledEventID: Int64, attempt: Int32)
}

/// What tells one due workflow task from another one of the same run.
public struct WorkflowTaskStamp: Hashable, Sendable {
    public let scheduledEventID: Int64
    public let attempt: Int32

    public init(scheduledEventID: Int64, attempt: Int32) {
        self.scheduledEventID = scheduledEventID
        self.attempt = attempt
    }
}

/// A workflow task as a worker gets it. The shell adds the bytes of the history.
public struct WorkflowTaskDelivery: Sendable {
    public let task: StartedWorkflowTask
    public let workflowType: String
    public let previousStartedEventID: Int64
    /// The worker has the run in its cache: it gets only what came since `previousStartedEventID`.
    public let isSticky: Bool
    /// Events at the end of what the worker sees that are not written yet: Started, before it a later attempt's Scheduled.
    public let unwrittenEvents: [RecordedEvent]
    /// The id of the newest event that is written.
    public let lastWrittenEventID: Int64
}

/// An attempt of an activity as a worker gets it.
public struct ActivityTaskDelivery: Sendable {
    public let activity: PendingActivity
    public let workflowType: String
    public let startedAt: Instant
    /// What its token carries.
    public let nonce: UInt64
    public let heartbeatDetails: RawMessage<Payloads>?
}

/// The answer to a completed workflow task.
public struct WorkflowTaskCompletion: Sendable {
    public var eagerActivities: [ActivityTaskDelivery] = []
    /// A further task of this run, started for the same worker, where it asked for that.
    public var nextTask: WorkflowTaskDelivery?
}
