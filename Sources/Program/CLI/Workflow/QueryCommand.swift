internal import SagamoreAPI
internal import SagamoreCommandLineArguments
internal import SagamoreGRPC
internal import SagamoreJSONText
internal import SagamoreProtobuf

/// `sagamore workflow query`, `stack` and `metadata`.
enum QueryCommand {
    /// When a query is refused instead of answered.
    enum RejectCondition: String, CaseIterable, ExpressibleByArgument {
        case notOpen = "not_open"
        case notCompletedCleanly = "not_completed_cleanly"

        var value: QueryRejectCondition {
            switch self {
            case .notOpen: QueryRejectCondition.notOpen
            case .notCompletedCleanly: QueryRejectCondition.notCompletedCleanly
            }
        }
    }

    static let name = Option<String>("--name", "--type", valueName: "NAME", help: "The query's name.")
    static let rejectCondition = Option<RejectCondition?>(
        "--reject-condition",
        valueName: "CONDITION",
        help: "Refuse the query when the workflow is closed, or did not complete."
    )

    static let query = Command(
        "query",
        abstract: "Query the state of a workflow.",
        discussion: """
            A worker answers, also for a workflow that is closed. Example:
            sagamore workflow query -w trip-1 --name status
            """,
        parameters: WorkflowSelection.parameters([name] + InputOptions.own.parameters + [rejectCondition])
    ) { values in
        let response = try await ask(values[name], try InputOptions.own.payloads(values), values)
        let format = values[OutputFormat.option]
        let answer = try response.queryResult?.decoded() ?? Payloads()
        if format.isJSON {
            StandardOutput.show(format.text(of: ["queryResult": .array(try answer.values())]))
        } else {
            var properties = Properties()
            properties.add("QueryResult", answer.text)
            StandardOutput.show(properties.text(title: "Query result:", isColored: Color.isOn))
        }
    }

    static let stack = Command(
        "stack",
        abstract: "Show where the code of a running workflow waits.",
        discussion: """
            A worker answers the query '__stack_trace', where its SDK has it. Example:
            sagamore workflow stack -w trip-1
            """,
        parameters: WorkflowSelection.parameters([rejectCondition])
    ) { values in
        let response = try await ask("__stack_trace", nil, values)
        let format = values[OutputFormat.option]
        let answer = try response.queryResult?.decoded() ?? Payloads()
        if format.isJSON {
            StandardOutput.show(format.text(of: ["queryResult": .array(try answer.values())]))
        } else {
            let trace = answer.payloads.map { $0.json?.string ?? $0.text }.joined(separator: "\n")
            let lines = trace.split(separator: "\n", omittingEmptySubsequences: false)
            StandardOutput.show(lines.map { String($0).printable + "\n" }.joined())
        }
    }

    static let metadata = Command(
        "metadata",
        abstract: "Show what a worker tells about a workflow: its handlers, and what it is doing.",
        discussion: """
            A worker answers the query '__temporal_workflow_metadata', where its SDK has it. Example:
            sagamore workflow metadata -w trip-1
            """,
        parameters: WorkflowSelection.parameters([rejectCondition])
    ) { values in
        let response = try await ask("__temporal_workflow_metadata", nil, values)
        let answer = try response.queryResult?.decoded() ?? Payloads()
        // There is no table for what each SDK tells in its own way.
        let format = values[OutputFormat.option]
        StandardOutput.show(try answer.payloads.map { format.text(of: try $0.value()) }.joined())
    }

    private static func ask(
        _ name: String,
        _ input: RawMessage<Payloads>?,
        _ values: ParsedValues
    ) async throws -> QueryWorkflowResponse {
        let workflow = try WorkflowSelection.execution(values)
        let response: QueryWorkflowResponse = try await ServiceClient.use(values) { client in
            var query = WorkflowQuery()
            query.queryType = name
            query.queryArgs = input
            var request = QueryWorkflowRequest()
            request.namespace = client.namespace
            request.execution = workflow
            request.query = query
            if let condition = values[rejectCondition] { request.queryRejectCondition = condition.value }
            return try await client.call(
                .queryWorkflow,
                request,
                advice: [.deadlineExceeded: "Does a worker poll the workflow's task queue?"]
            )
        }
        if let rejected = response.queryRejected {
            throw CommandFailure("the query was rejected, the workflow has the status \(rejected.status.text)")
        }
        return response
    }
}
