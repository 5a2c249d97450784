internal import SagamoreAPI

/// How a workflow is doing.
public struct WorkflowDescription: Sendable, Hashable {
    /// What state it is in.
    public enum Status: Sendable, Hashable {
        /// It is open.
        case running
        /// It has returned a result.
        case completed
        /// It has thrown an error.
        case failed
        /// Somebody asked it to end, and it has.
        case cancelled
        /// Somebody ended it without asking.
        case terminated
        /// It goes on as a new run.
        case continuedAsNew
        /// It took longer than it may.
        case timedOut
        /// One that this SDK doesn't know.
        case other
    }

    /// The workflow's id.
    public let id: String
    /// The run that is described.
    public let runID: String
    /// The name of its type.
    public let type: String
    /// Whose workers run it.
    public let taskQueue: String
    /// What state it is in.
    public let status: Status
    /// How many events its history has.
    public let historyLength: Int
    /// The names of the activities that are not done.
    public let pendingActivities: [String]

    init(_ response: DescribeWorkflowExecutionResponse) {
        let info = response.workflowExecutionInfo ?? WorkflowExecutionInfo()
        id = info.execution?.workflowID ?? ""
        runID = info.execution?.runID ?? ""
        type = info.type?.name ?? ""
        taskQueue = info.taskQueue
        historyLength = Int(info.historyLength)
        pendingActivities = response.pendingActivities.map { $0.activityType?.name ?? "" }
        status =
            switch info.status {
            case .running: .running
            case .completed: .completed
            case .failed: .failed
            case .canceled: .cancelled
            case .terminated: .terminated
            case .continuedAsNew: .continuedAsNew
            case .timedOut: .timedOut
            default: .other
            }
    }
}
