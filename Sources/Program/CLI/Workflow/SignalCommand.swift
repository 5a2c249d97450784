internal import SagamoreAPI
internal import SagamoreCommandLineArguments
internal import SagamoreProtobuf

/// `sagamore workflow signal`.
enum SignalCommand {
    static let name = Option<String>("--name", "--type", valueName: "NAME", help: "The signal's name.")

    static let command = Command(
        "signal",
        abstract: "Send a signal to a running workflow, or to all that match a filter.",
        discussion: """
            Example:
            sagamore workflow signal -w trip-1 --name cancel_booking -i '"changed my mind"'
            """,
        parameters: WorkflowTarget.parameters([name] + InputOptions.own.parameters + [WorkflowEnding.batchReason])
    ) { values in
        let target = try WorkflowTarget(values)
        let input = try InputOptions.own.payloads(values)
        switch target {
        case .workflow(let workflow): try await signal(workflow, input, values)
        case .runs(let query):
            var operation = BatchOperationSignal()
            operation.signal = values[name]
            operation.input = input
            operation.identity = CommandIdentity.text
            let reason = values[WorkflowEnding.batchReason]
            try await BatchStart(query, .signalOperation(operation), reason: reason, values).run()
        }
    }

    private static func signal(
        _ workflow: WorkflowExecution,
        _ input: RawMessage<Payloads>?,
        _ values: ParsedValues
    ) async throws {
        try await ServiceClient.use(values) { client in
            var request = SignalWorkflowExecutionRequest()
            request.namespace = client.namespace
            request.workflowExecution = workflow
            request.signalName = values[name]
            request.input = input
            request.identity = CommandIdentity.text
            request.requestID = CommandIdentity.newID()
            let _: SignalWorkflowExecutionResponse = try await client.call(.signalWorkflowExecution, request)
            Report.done("Signal workflow succeeded", values)
        }
    }
}
