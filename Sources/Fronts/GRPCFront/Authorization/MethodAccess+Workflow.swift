public import SagamoreAPI

extension MethodAccess {
    /// What a call of the workflows' service needs. The order of roles and calls is that of Temporal's server, except
    /// that its workers need the role to write.
    public init(_ method: WorkflowServiceMethod) {
        self = Self.system(method) ?? Self.looking(method) ?? Self.working(method) ?? Self.changing(method)
    }

    private static func system(_ method: WorkflowServiceMethod) -> MethodAccess? {
        switch method {
        case .getSystemInfo: MethodAccess(.anybody, .system)
        case .getClusterInfo, .listNamespaces, .getSearchAttributes: MethodAccess(.read, .system)
        default: nil
        }
    }

    /// Those that change nothing.
    private static func looking(_ method: WorkflowServiceMethod) -> MethodAccess? {
        switch method {
        case .describeNamespace, .describeTaskQueue, .getWorkflowExecutionHistory,
            .getWorkerBuildIdCompatibility, .getWorkerVersioningRules:
            MethodAccess(.member)
        case .describeWorkflowExecution, .getWorkflowExecutionHistoryReverse, .listOpenWorkflowExecutions,
            .listClosedWorkflowExecutions,
            .listWorkflowExecutions, .listArchivedWorkflowExecutions, .scanWorkflowExecutions,
            .countWorkflowExecutions, .queryWorkflow, .listTaskQueuePartitions,
            .describeSchedule, .listScheduleMatchingTimes, .listSchedules, .countSchedules,
            .getWorkerTaskReachability, .describeDeployment, .describeWorkerDeploymentVersion, .listDeployments,
            .getDeploymentReachability, .getCurrentDeployment, .describeWorkerDeployment, .listWorkerDeployments,
            .validateWorkerDeploymentVersionComputeConfig, .pollWorkflowExecutionUpdate,
            .describeBatchOperation, .listBatchOperations, .describeWorkflowRule, .listWorkflowRules,
            .listWorkers, .countWorkers, .describeWorker, .describeActivityExecution,
            .describeNexusOperationExecution, .pollActivityExecution, .pollNexusOperationExecution,
            .listActivityExecutions, .listNexusOperationExecutions, .countActivityExecutions,
            .countNexusOperationExecutions, .pollWorkflowExecutionTimeSkipping:
            MethodAccess(.read)
        default: nil
        }
    }

    /// Those of workers.
    private static func working(_ method: WorkflowServiceMethod) -> MethodAccess? {
        switch method {
        case .pollWorkflowTaskQueue, .respondWorkflowTaskCompleted, .respondWorkflowTaskFailed,
            .pollActivityTaskQueue, .recordActivityTaskHeartbeat, .recordActivityTaskHeartbeatById,
            .respondActivityTaskCompleted, .respondActivityTaskCompletedById, .respondActivityTaskFailed,
            .respondActivityTaskFailedById, .respondActivityTaskCanceled, .respondActivityTaskCanceledById,
            .respondQueryTaskCompleted, .resetStickyTaskQueue, .shutdownWorker, .pollNexusTaskQueue,
            .respondNexusTaskCompleted, .respondNexusTaskFailed, .recordWorkerHeartbeat, .fetchWorkerConfig:
            MethodAccess(.worker)
        default: nil
        }
    }

    /// Those that change something, and all of which nothing is said above.
    private static func changing(_ method: WorkflowServiceMethod) -> MethodAccess {
        switch method {
        case .registerNamespace, .updateNamespace, .deprecateNamespace: MethodAccess(.admin)
        default: MethodAccess(.write)
        }
    }
}
