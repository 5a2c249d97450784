public import FoundationEssentials
internal import SagamoreAPI
internal import SagamoreProtobuf

/// Which attempt of which activity this is.
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
    /// Whose workers run it.
    public let taskQueue: String
    /// When the workflow asked for it.
    public let scheduledAt: Date
    /// When the server gave this attempt to this worker.
    public let startedAt: Date
    /// How long this attempt may take; nil: as long as the activity as a whole.
    public let startToClose: Duration?
    /// How long all attempts together may take; nil: as long as it takes.
    public let scheduleToClose: Duration?
    /// How long it may be silent; nil: it need not send heartbeats.
    public let heartbeatTimeout: Duration?

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
        startToClose = task.startToCloseTimeout.flatMap(Duration.init(positive:))
        scheduleToClose = task.scheduleToCloseTimeout.flatMap(Duration.init(positive:))
        heartbeatTimeout = task.heartbeatTimeout.flatMap(Duration.init(positive:))
    }
}
