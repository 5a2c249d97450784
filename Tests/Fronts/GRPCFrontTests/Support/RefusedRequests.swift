import SagamoreAPI
import SagamoreEngine
import SagamoreGRPC
import SagamoreProtobuf
import SagamoreServices

extension Refused {
    static func start(_ change: (inout StartWorkflowExecutionRequest) -> Void = { _ in })
        -> StartWorkflowExecutionRequest
    {
        var request = StartWorkflowExecutionRequest()
        request.namespace = "default"
        request.workflowID = "booking"
        request.workflowType = WorkflowType()
        request.workflowType?.name = "TravelBooking"
        request.taskQueue = TaskQueue()
        request.taskQueue?.name = "travel"
        request.requestID = "first"
        request.identity = "me"
        change(&request)
        return request
    }

    static func execution(_ workflowID: String = "booking", _ runID: String = "") -> WorkflowExecution {
        var execution = WorkflowExecution()
        execution.workflowID = workflowID
        execution.runID = runID
        return execution
    }

    static var signal: SignalWorkflowExecutionRequest {
        var request = SignalWorkflowExecutionRequest()
        request.namespace = "default"
        request.workflowExecution = execution()
        request.signalName = "cancel_booking"
        request.requestID = "signal"
        request.identity = "me"
        return request
    }

    static var cancel: RequestCancelWorkflowExecutionRequest {
        var request = RequestCancelWorkflowExecutionRequest()
        request.namespace = "default"
        request.workflowExecution = execution()
        return request
    }

    static var terminate: TerminateWorkflowExecutionRequest {
        var request = TerminateWorkflowExecutionRequest()
        request.namespace = "default"
        request.workflowExecution = execution()
        return request
    }

    static var query: QueryWorkflowRequest {
        var request = QueryWorkflowRequest()
        request.namespace = "default"
        request.execution = execution()
        request.query = WorkflowQuery()
        request.query?.queryType = "status"
        return request
    }

    static var readHistory: GetWorkflowExecutionHistoryRequest {
        var request = GetWorkflowExecutionHistoryRequest()
        request.namespace = "default"
        request.execution = execution()
        return request
    }

    static var describe: DescribeWorkflowExecutionRequest {
        var request = DescribeWorkflowExecutionRequest()
        request.namespace = "default"
        request.execution = execution()
        return request
    }

    static var register: RegisterNamespaceRequest {
        var request = RegisterNamespaceRequest()
        request.namespace = "new"
        request.workflowExecutionRetentionPeriod = Interval.seconds(86_400).duration
        return request
    }

    private static let minusOne = ProtobufDuration(seconds: -1, nanos: 0)

    static let reservedQueue = "task queue name cannot start with reserved prefix /_sys/"
    private static let twoPolicies =
        "Invalid WorkflowIDReusePolicy: WORKFLOW_ID_REUSE_POLICY_TERMINATE_IF_RUNNING cannot be used together with a "
        + "WorkflowIDConflictPolicy"

    static let ofClients: [Refused] = [
        Refused("no namespace", .startWorkflowExecution, start(), "Namespace is empty.") { $0.namespace = "" },
        Refused("long namespace", .startWorkflowExecution, start(), "Namespace length exceeds limit.") {
            $0.namespace = tooLong
        },
        Refused("no workflow id", .startWorkflowExecution, start(), "WorkflowId is not set on request.") {
            $0.workflowID = ""
        },
        Refused(
            "long workflow id",
            .startWorkflowExecution,
            start(),
            "WorkflowId exceeds maximum allowed length (1001/1000)"
        ) { $0.workflowID = tooLong },
        Refused("long type", .startWorkflowExecution, start(), "WorkflowType length exceeds limit.") {
            $0.workflowType?.name = tooLong
        },
        Refused("long queue", .startWorkflowExecution, start(), "taskQueue length exceeds limit") {
            $0.taskQueue?.name = tooLong
        },
        Refused("reserved queue", .startWorkflowExecution, start(), reservedQueue) { $0.taskQueue?.name = "/_sys/q" },
        Refused("two policies", .startWorkflowExecution, start(), twoPolicies) {
            $0.workflowIDReusePolicy = .terminateIfRunning
            $0.workflowIDConflictPolicy = .fail
        },
        Refused(
            "bad retry policy",
            .startWorkflowExecution,
            start(),
            "MaximumAttempts cannot be negative on retry policy."
        ) {
            $0.retryPolicy = RetryPolicy()
            $0.retryPolicy?.maximumAttempts = -1
        },
        Refused("NUL", .startWorkflowExecution, start(), "WorkflowId must not contain NUL.") { $0.workflowID = "a\0" },
        Refused("no type", .startWorkflowExecution, start(), "WorkflowType is not set on request.") {
            $0.workflowType = nil
        },
        Refused("no queue", .startWorkflowExecution, start(), "taskQueue is not set") { $0.taskQueue = nil },
        Refused("large input", .startWorkflowExecution, start(), "Blob data size exceeds limit.") {
            $0.input = tooLarge
        },
        Refused(
            "callbacks",
            .startWorkflowExecution,
            start(),
            .unimplemented,
            "completion_callbacks are not available in this version of sagamore"
        ) { $0.completionCallbacks = [Callback()] },
        Refused("no execution", .signalWorkflowExecution, signal, "Execution is not set on request.") {
            $0.workflowExecution = nil
        },
        Refused("no workflow id", .signalWorkflowExecution, signal, "WorkflowId is not set on request.") {
            $0.workflowExecution = execution("")
        },
        Refused("long id", .signalWorkflowExecution, signal, .notFound, "workflow not found for ID: \(tooLong)") {
            $0.workflowExecution = execution(tooLong)
        },
        Refused("bad run id", .signalWorkflowExecution, signal, "Invalid RunId.") {
            $0.workflowExecution = execution("booking", "nonsense")
        },
        Refused("no name", .signalWorkflowExecution, signal, "SignalName is not set on request.") {
            $0.signalName = ""
        },
        Refused("large input", .signalWorkflowExecution, signal, "Blob data size exceeds limit.") {
            $0.input = tooLarge
        },
        Refused("no namespace", .requestCancelWorkflowExecution, cancel, "Namespace is empty.") { $0.namespace = "" },
        Refused("no execution", .requestCancelWorkflowExecution, cancel, "Execution is not set on request.") {
            $0.workflowExecution = nil
        },
        Refused("large details", .terminateWorkflowExecution, terminate, "Blob data size exceeds limit.") {
            $0.details = tooLarge
        },
        Refused("no query", .queryWorkflow, query, "WorkflowQuery is not set on request.") { $0.query = nil },
        Refused("no query type", .queryWorkflow, query, "QueryType is not set on request.") {
            $0.query?.queryType = ""
        },
        Refused("large arguments", .queryWorkflow, query, "Blob data size exceeds limit.") {
            $0.query?.queryArgs = tooLarge
        },
        Refused("no execution", .describeWorkflowExecution, describe, "Execution is not set on request.") {
            $0.execution = nil
        },
        Refused("bad run id", .getWorkflowExecutionHistory, readHistory, "Invalid RunId.") {
            $0.execution = execution("booking", "nonsense")
        },
        Refused("nothing", .describeNamespace, DescribeNamespaceRequest(), "Namespace not set on request.") { _ in },
        Refused(
            "unknown id",
            .describeNamespace,
            DescribeNamespaceRequest(),
            .notFound,
            "Namespace some-id is not found."
        ) { $0.id = "some-id" },
        Refused("bad token", .listNamespaces, ListNamespacesRequest(), "Invalid NextPageToken.") {
            $0.nextPageToken = Array("junk".utf8)
        },
        Refused("no name", .registerNamespace, register, "Namespace not set on request.") { $0.namespace = "" },
        Refused("NUL", .registerNamespace, register, "Description must not contain NUL.") { $0.description = "\0" },
        Refused("no retention", .registerNamespace, register, "A valid retention period is not set on request.") {
            $0.workflowExecutionRetentionPeriod = nil
        },
        Refused("negative", .registerNamespace, register, "A valid retention period is not set on request.") {
            $0.workflowExecutionRetentionPeriod = minusOne
        },
        Refused("global", .registerNamespace, register, "Cannot register global namespace when not enabled") {
            $0.isGlobalNamespace = true
        },
    ]
}
