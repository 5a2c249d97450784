internal import SagamoreAPI

/// A snapshot of a workflow.
public struct WorkflowDescription: Sendable, Hashable {
    /// The workflow's state.
    public enum Status: Sendable, Hashable {
        /// It is open.
        case running
        /// It has returned a result.
        case completed
        /// It has thrown an error.
        case failed
        /// It ended after a cancel request.
        case canceled
        /// It was terminated from outside.
        case terminated
        /// It continues as a new run.
        case continuedAsNew
        /// It exceeded its timeout.
        case timedOut
        /// A state that this SDK does not know.
        case other
    }

    /// The workflow's id.
    public let id: String
    /// The run that is described.
    public let runID: String
    /// The name of its type.
    public let type: String
    /// The task queue of the workers that run it.
    public let taskQueue: String
    /// The workflow's state.
    public let status: Status
    /// The number of events in its history.
    public let historyLength: Int
    /// The names of its pending activities.
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
            case .canceled: .canceled
            case .terminated: .terminated
            case .continuedAsNew: .continuedAsNew
            case .timedOut: .timedOut
            default: .other
            }
    }
}
