public import FoundationEssentials
internal import SagamoreAPI
internal import SagamoreProtobuf

/// The attempt, its activity, and its workflow.
public struct ActivityInfo: Sendable, Hashable {
    /// The activity's id within its run.
    public let id: String
    /// The name of its type.
    public let type: String
    /// 1 for the first attempt.
    public let attempt: Int
    /// The namespace of its workflow.
    public let namespace: String
    /// The id of its workflow.
    public let workflowID: String
    /// The run of its workflow.
    public let runID: String
    /// The type of its workflow.
    public let workflowType: String
    /// The task queue of the workers that run it.
    public let taskQueue: String
    /// When the workflow scheduled it.
    public let scheduledAt: Date
    /// When this worker received the attempt.
    public let startedAt: Date
    /// The limit for this attempt; nil means the limit of the whole activity.
    public let startToCloseTimeout: Duration?
    /// The limit for all attempts together; nil means no limit.
    public let scheduleToCloseTimeout: Duration?
    /// The maximum time between heartbeats; nil means that none are expected.
    public let heartbeatTimeout: Duration?

    init(_ attempt: ActivityRun.Attempt, type: String, options: ActivityOptions) {
        id = attempt.id
        self.type = type
        self.attempt = attempt.attempt
        namespace = attempt.namespace
        workflowID = attempt.workflowID
        runID = attempt.runID
        workflowType = attempt.workflowType
        taskQueue = attempt.taskQueue
        scheduledAt = attempt.at
        startedAt = attempt.at
        startToCloseTimeout = options.startToCloseTimeout
        scheduleToCloseTimeout = options.scheduleToCloseTimeout
        heartbeatTimeout = options.heartbeatTimeout
    }

    init(_ task: PollActivityTaskQueueResponse, taskQueue: String, namespace: String) {
        id = task.activityID
        type = task.activityType?.name ?? ""
        attempt = max(1, Int(task.attempt))
        self.namespace = task.workflowNamespace.isEmpty ? namespace : task.workflowNamespace
        workflowID = task.workflowExecution?.workflowID ?? ""
        runID = task.workflowExecution?.runID ?? ""
        workflowType = task.workflowType?.name ?? ""
        self.taskQueue = taskQueue
        scheduledAt = Date(task.scheduledTime)
        startedAt = Date(task.startedTime)
        startToCloseTimeout = task.startToCloseTimeout.flatMap(Duration.init(positive:))
        scheduleToCloseTimeout = task.scheduleToCloseTimeout.flatMap(Duration.init(positive:))
        heartbeatTimeout = task.heartbeatTimeout.flatMap(Duration.init(positive:))
    }
}
