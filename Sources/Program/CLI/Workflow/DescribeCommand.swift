internal import SagamoreAPI
internal import SagamoreCommandLineArguments

/// `sagamore workflow describe`.
enum DescribeCommand {
    static let command = Command(
        "describe",
        abstract: "Describe a run: its state, and what it waits for.",
        discussion: """
            JSON is the protobuf JSON of the response. Example:
            sagamore workflow describe -w trip-1
            """,
        parameters: WorkflowSelection.parameters()
    ) { values in
        let workflow = try WorkflowSelection.execution(values)
        let format = values[OutputFormat.option]
        try await ServiceClient.use(values) { client in
            let response = try await description(of: workflow, client)
            if format.isJSON {
                StandardOutput.show(format.text(of: try ProtobufJSON.value(of: response)))
            } else {
                let description = WorkflowDescriptionText(
                    response,
                    namespace: client.namespace,
                    times: values[TimeFormat.option]
                )
                StandardOutput.show(try description.text())
            }
        }
    }

    static func description(
        of workflow: WorkflowExecution,
        _ client: ServiceClient
    ) async throws(CommandFailure) -> DescribeWorkflowExecutionResponse {
        var request = DescribeWorkflowExecutionRequest()
        request.namespace = client.namespace
        request.execution = workflow
        return try await client.call(.describeWorkflowExecution, request)
    }
}
