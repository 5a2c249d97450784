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

    static let cancel = Command(
        "cancel",
        abstract: "Ask a running workflow to end.",
        discussion: """
            The workflow decides how: a saga undoes what it did. Example:
            sagamore workflow cancel -w trip-1
            """,
        parameters: WorkflowSelection.parameters([cancelReason])
    ) { values in
        let workflow = try WorkflowSelection.execution(values)
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

    static let terminate = Command(
        "terminate",
        abstract: "End a running workflow at once.",
        discussion: """
            The workflow is not told, so nothing is undone; 'cancel' lets it undo what it did. Example:
            sagamore workflow terminate -w trip-1 --reason "started by mistake"
            """,
        parameters: WorkflowSelection.parameters([terminationReason])
    ) { values in
        let workflow = try WorkflowSelection.execution(values)
        try await ServiceClient.use(values) { client in
            var request = TerminateWorkflowExecutionRequest()
            request.namespace = client.namespace
            request.workflowExecution = workflow
            request.reason = values[terminationReason] ?? "Requested from CLI by \(CommandIdentity.userName)"
            request.identity = CommandIdentity.text
            let _: TerminateWorkflowExecutionResponse = try await client.call(.terminateWorkflowExecution, request)
            Report.done("Workflow terminated", values)
        }
    }

    static let delete = Command(
        "delete",
        abstract: "Delete a run and its history.",
        discussion: """
            A running one is terminated first. The deletion happens in the background. Example:
            sagamore workflow delete -w trip-1
            """,
        parameters: WorkflowSelection.parameters()
    ) { values in
        let workflow = try WorkflowSelection.execution(values)
        try await ServiceClient.use(values) { client in
            var request = DeleteWorkflowExecutionRequest()
            request.namespace = client.namespace
            request.workflowExecution = workflow
            let _: DeleteWorkflowExecutionResponse = try await client.call(.deleteWorkflowExecution, request)
            Report.done("Delete workflow succeeded", values)
        }
    }
}
