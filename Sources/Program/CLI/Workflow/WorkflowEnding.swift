internal import SagamoreAPI
internal import SagamoreCommandLineArguments
internal import SagamoreProtobuf

/// `sagamore workflow cancel`, `terminate` and `delete`.
enum WorkflowEnding {
    static let cancelReason = Option<String?>("--reason", valueName: "TEXT", help: "Why, for the history.")
    static let terminationReason = Option<String?>(
        "--reason",
        valueName: "TEXT",
        help: "Why, for the history. Default: who asked."
    )
    static let batchReason = Option<String?>(
        "--reason",
        valueName: "TEXT",
        help: "With --query: why. Default: who asked."
    )

    static let cancel = Command(
        "cancel",
        abstract: "Ask a running workflow, or all that match a filter, to end.",
        discussion: """
            The workflow decides how: a saga undoes what it did. Example:
            sagamore workflow cancel -w trip-1
            """,
        parameters: WorkflowTarget.parameters([cancelReason])
    ) { values in
        switch try WorkflowTarget(values) {
        case .workflow(let workflow): try await cancel(workflow, values)
        case .runs(let query):
            var operation = BatchOperationCancellation()
            operation.identity = CommandIdentity.text
            try await BatchStart(query, .cancellationOperation(operation), reason: values[cancelReason], values).run()
        }
    }

    static let terminate = Command(
        "terminate",
        abstract: "End a running workflow, or all that match a filter, at once.",
        discussion: """
            The workflow is not told, so nothing is undone; 'cancel' lets it undo what it did. Example:
            sagamore workflow terminate -w trip-1 --reason "started by mistake"
            """,
        parameters: WorkflowTarget.parameters([terminationReason])
    ) { values in
        switch try WorkflowTarget(values) {
        case .workflow(let workflow): try await terminate(workflow, values)
        case .runs(let query):
            var operation = BatchOperationTermination()
            operation.identity = CommandIdentity.text
            let reason = values[terminationReason]
            try await BatchStart(query, .terminationOperation(operation), reason: reason, values).run()
        }
    }

    static let delete = Command(
        "delete",
        abstract: "Delete a run and its history, or all that match a filter.",
        discussion: """
            A running one is terminated first. The deletion happens in the background. Example:
            sagamore workflow delete -q "ExecutionStatus = 'Completed' AND CloseTime < '2026-01-31T00:00:00Z'"
            """,
        parameters: WorkflowTarget.parameters([batchReason])
    ) { values in
        switch try WorkflowTarget(values) {
        case .workflow(let workflow): try await delete(workflow, values)
        case .runs(let query):
            var operation = BatchOperationDeletion()
            operation.identity = CommandIdentity.text
            try await BatchStart(query, .deletionOperation(operation), reason: values[batchReason], values).run()
        }
    }

    private static func cancel(_ workflow: WorkflowExecution, _ values: ParsedValues) async throws {
        try await ServiceClient.use(values) { client in
            var request = RequestCancelWorkflowExecutionRequest()
            request.namespace = client.namespace
            request.workflowExecution = workflow
            request.reason = values[cancelReason] ?? ""
            request.identity = CommandIdentity.text
            request.requestID = CommandIdentity.newID()
            let _: RequestCancelWorkflowExecutionResponse = try await client.call(
                .requestCancelWorkflowExecution,
                request
            )
            Report.done("Canceled workflow", values)
        }
    }

    private static func terminate(_ workflow: WorkflowExecution, _ values: ParsedValues) async throws {
        try await ServiceClient.use(values) { client in
            var request = TerminateWorkflowExecutionRequest()
            request.namespace = client.namespace
            request.workflowExecution = workflow
            request.reason = values[terminationReason] ?? CommandIdentity.reason
            request.identity = CommandIdentity.text
            let _: TerminateWorkflowExecutionResponse = try await client.call(.terminateWorkflowExecution, request)
            Report.done("Workflow terminated", values)
        }
    }

    private static func delete(_ workflow: WorkflowExecution, _ values: ParsedValues) async throws {
        try await ServiceClient.use(values) { client in
            var request = DeleteWorkflowExecutionRequest()
            request.namespace = client.namespace
            request.workflowExecution = workflow
            let _: DeleteWorkflowExecutionResponse = try await client.call(.deleteWorkflowExecution, request)
            Report.done("Delete workflow succeeded", values)
        }
    }
}
