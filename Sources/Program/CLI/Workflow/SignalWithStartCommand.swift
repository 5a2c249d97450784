internal import SagamoreAPI
internal import SagamoreCommandLineArguments

/// `sagamore workflow signal-with-start`.
enum SignalWithStartCommand {
    static let name = Option<String>("--signal-name", "--signal-type", valueName: "NAME", help: "The signal's name.")

    static let command = Command(
        "signal-with-start",
        abstract: "Send a signal to a workflow, and start it first unless it is running.",
        discussion: """
            Example:
            sagamore workflow signal-with-start --type Cart -t carts -w cart-1 --signal-name add --signal-input '"book"'
            """,
        parameters: ServiceClient.parameters(
            [name] + InputOptions.ofSignal.parameters + NewWorkflowOptions.parameters + [
                StartOptions.idReusePolicy, StartOptions.idConflictPolicy, StartOptions.cron, StartOptions.startDelay,
            ]
        )
    ) { values in
        let start = try StartOptions.request(values)
        let request = try request(start, values)
        let format = values[OutputFormat.option]
        try await ServiceClient.use(values) { client in
            let response: SignalWithStartWorkflowExecutionResponse = try await client.call(
                .signalWithStartWorkflowExecution,
                request
            )
            let shown = WorkflowStart(start, runID: response.runID)
            StandardOutput.show(format.isJSON ? format.text(of: .object(shown.json)) : shown.text())
        }
    }

    static func request(
        _ start: StartWorkflowExecutionRequest,
        _ values: ParsedValues
    ) throws -> SignalWithStartWorkflowExecutionRequest {
        var request = SignalWithStartWorkflowExecutionRequest()
        request.namespace = start.namespace
        request.workflowID = start.workflowID
        request.workflowType = start.workflowType
        request.taskQueue = start.taskQueue
        request.input = start.input
        request.workflowExecutionTimeout = start.workflowExecutionTimeout
        request.workflowRunTimeout = start.workflowRunTimeout
        request.workflowTaskTimeout = start.workflowTaskTimeout
        request.identity = start.identity
        request.requestID = start.requestID
        request.workflowIDReusePolicy = start.workflowIDReusePolicy
        request.workflowIDConflictPolicy = start.workflowIDConflictPolicy
        request.cronSchedule = start.cronSchedule
        request.memo = start.memo
        request.searchAttributes = start.searchAttributes
        request.header = start.header
        request.workflowStartDelay = start.workflowStartDelay
        request.userMetadata = start.userMetadata
        request.priority = start.priority
        request.signalName = values[name]
        request.signalInput = try InputOptions.ofSignal.payloads(values)
        return request
    }
}
