internal import SagamoreAPI
internal import SagamoreCommandLineArguments
internal import SagamoreProtobuf

/// `sagamore activity complete` and `fail`: what a worker would say.
enum ActivityEnding {
    static let result = Option<JSONText>("--result", valueName: "JSON", help: "What it returns.")
    static let reason = Option<String?>("--reason", valueName: "TEXT", help: "The message of the failure.")
    static let detail = Option<JSONText?>("--detail", valueName: "JSON", help: "The detail of the failure.")

    static let complete = Command(
        "complete",
        abstract: "Complete an activity in place of its worker.",
        discussion: """
            Example:
            sagamore activity complete -w trip-1 -a book_car --result '"car-7"'
            """,
        parameters: ActivitySelection.parameters([result])
    ) { values in
        let request = try completion(values)
        try await ServiceClient.use(values) { client in
            let _: RespondActivityTaskCompletedByIdResponse = try await client.call(
                .respondActivityTaskCompletedById,
                request
            )
            Report.done("Activity completed", values)
        }
    }

    static let fail = Command(
        "fail",
        abstract: "Let an activity fail in place of its worker.",
        discussion: """
            It is not tried again: a saga undoes what it did. Example:
            sagamore activity fail -w trip-1 -a book_car --reason "no cars left"
            """,
        parameters: ActivitySelection.parameters([reason, detail])
    ) { values in
        let request = try failure(values)
        try await ServiceClient.use(values) { client in
            let _: RespondActivityTaskFailedByIdResponse = try await client.call(
                .respondActivityTaskFailedById,
                request
            )
            Report.done("Activity failed", values)
        }
    }

    static func completion(_ values: ParsedValues) throws(UsageError) -> RespondActivityTaskCompletedByIdRequest {
        let workflow = try WorkflowSelection.execution(values)
        var payloads = Payloads()
        payloads.payloads = [Payload(json: values[result].bytes)]
        var request = RespondActivityTaskCompletedByIdRequest()
        request.namespace = values[Places.namespace]
        request.workflowID = workflow.workflowID
        request.runID = workflow.runID
        request.activityID = try ActivitySelection.id(values)
        request.result = RawMessage(payloads)
        request.identity = CommandIdentity.text
        return request
    }

    static func failure(_ values: ParsedValues) throws(UsageError) -> RespondActivityTaskFailedByIdRequest {
        let workflow = try WorkflowSelection.execution(values)
        var info = ApplicationFailureInfo()
        info.nonRetryable = true
        if let detail = values[detail] {
            var payloads = Payloads()
            payloads.payloads = [Payload(json: detail.bytes)]
            info.details = payloads
        }
        var failure = Failure()
        failure.message = values[reason] ?? ""
        failure.source = "CLI"
        failure.failureInfo = .applicationFailureInfo(info)
        var request = RespondActivityTaskFailedByIdRequest()
        request.namespace = values[Places.namespace]
        request.workflowID = workflow.workflowID
        request.runID = workflow.runID
        request.activityID = try ActivitySelection.id(values)
        request.failure = RawMessage(failure)
        request.identity = CommandIdentity.text
        return request
    }
}
