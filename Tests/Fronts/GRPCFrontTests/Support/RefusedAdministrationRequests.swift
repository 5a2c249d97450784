import SagamoreAPI
import SagamoreEngine
import SagamoreProtobuf

extension Refused {
    static var reset: ResetWorkflowExecutionRequest {
        var request = ResetWorkflowExecutionRequest()
        request.namespace = "default"
        request.workflowExecution = execution()
        request.requestID = "reset"
        request.workflowTaskFinishEventID = 4
        return request
    }

    static var delete: DeleteWorkflowExecutionRequest {
        var request = DeleteWorkflowExecutionRequest()
        request.namespace = "default"
        request.workflowExecution = execution()
        return request
    }

    static var reversedHistory: GetWorkflowExecutionHistoryReverseRequest {
        var request = GetWorkflowExecutionHistoryReverseRequest()
        request.namespace = "default"
        request.execution = execution()
        return request
    }

    static var options: UpdateWorkflowExecutionOptionsRequest {
        var request = UpdateWorkflowExecutionOptionsRequest()
        request.namespace = "default"
        request.workflowExecution = execution()
        request.workflowExecutionOptions = WorkflowExecutionOptions()
        request.updateMask = .init()
        request.updateMask?.paths = ["priority"]
        return request
    }

    static let ofAdministrators: [Refused] = [
        Refused("no request id", .resetWorkflowExecution, reset, "RequestId is not set on request.") {
            $0.requestID = ""
        },
        Refused("no execution", .resetWorkflowExecution, reset, "Execution is not set on request.") {
            $0.workflowExecution = nil
        },
        Refused("bad run id", .resetWorkflowExecution, reset, "Invalid RunId.") {
            $0.workflowExecution = execution("booking", "nonsense")
        },
        Refused("no workflow id", .deleteWorkflowExecution, delete, "WorkflowId is not set on request.") {
            $0.workflowExecution = execution("")
        },
        Refused(
            "no execution",
            .getWorkflowExecutionHistoryReverse,
            reversedHistory,
            "Execution is not set on request."
        ) { $0.execution = nil },
        Refused("bad run id", .updateWorkflowExecutionOptions, options, "RunId is not valid UUID.") {
            $0.workflowExecution = execution("booking", "nonsense")
        },
        Refused("no execution", .updateWorkflowExecutionOptions, options, "WorkflowId is not set on request.") {
            $0.workflowExecution = nil
        },
        Refused("no mask", .updateWorkflowExecutionOptions, options, "UpdateMask is required") { $0.updateMask = nil },
        Refused("no options", .updateWorkflowExecutionOptions, options, "WorkflowExecutionOptions is required") {
            $0.workflowExecutionOptions = nil
        },
    ]
}
