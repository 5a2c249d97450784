internal import SagamoreAPI

/// What a call asks of the server, so that load has an end where it begins.
enum CallLoad: Sendable {
    /// The end of work that was begun: a task's result, a heartbeat. It is never refused: the work is done, and to
    /// refuse its result would have it done again.
    case completion
    /// It waits for a task, or for news.
    case longPoll
    /// It may begin a workflow.
    case start
    /// Anything else.
    case request

    init(_ method: WorkflowServiceMethod) {
        switch method {
        case .respondWorkflowTaskCompleted, .respondWorkflowTaskFailed, .recordActivityTaskHeartbeat,
            .recordActivityTaskHeartbeatById, .respondActivityTaskCompleted, .respondActivityTaskCompletedById,
            .respondActivityTaskFailed, .respondActivityTaskFailedById, .respondActivityTaskCanceled,
            .respondActivityTaskCanceledById, .respondQueryTaskCompleted, .respondNexusTaskCompleted,
            .respondNexusTaskFailed, .shutdownWorker, .getSystemInfo:
            self = .completion
        case .pollWorkflowTaskQueue, .pollActivityTaskQueue, .pollNexusTaskQueue, .pollWorkflowExecutionUpdate:
            self = .longPoll
        case .startWorkflowExecution, .signalWithStartWorkflowExecution, .executeMultiOperation:
            self = .start
        default:
            self = .request
        }
    }
}
