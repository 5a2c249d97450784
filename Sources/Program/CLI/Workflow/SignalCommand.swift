internal import SagamoreAPI
internal import SagamoreCommandLineArguments
internal import SagamoreProtobuf

/// `sagamore workflow signal`.
enum SignalCommand {
    static let name = Option<String>("--name", "--type", valueName: "NAME", help: "The signal's name.")

    static let command = Command(
        "signal",
        abstract: "Send a signal to a running workflow.",
        discussion: """
            Example:
            sagamore workflow signal -w trip-1 --name cancel_booking -i '"changed my mind"'
            """,
        parameters: WorkflowSelection.parameters([name] + InputOptions.parameters)
    ) { values in
        let workflow = try WorkflowSelection.execution(values)
        let input = try InputOptions.payloads(values)
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
