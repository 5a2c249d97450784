internal import SagamoreAPI
internal import SagamoreCommandLineArguments
internal import SagamoreJSONText

/// `sagamore workflow start` and `sagamore workflow execute`.
enum StartCommand {
    static let start = Command(
        "start",
        abstract: "Start a workflow.",
        discussion: """
            When a workflow with the id exists, its run is shown, unless --fail-existing is set. Example:
            sagamore workflow start --type TravelBooking -t travel-booking -w trip-1 -i '{"user_id": "u"}'
            """,
        parameters: StartOptions.parameters
    ) { values in
        let request = try StartOptions.request(values)
        let failsExisting = values[StartOptions.failsExisting]
        let format = values[OutputFormat.option]
        try await ServiceClient.use(values) { client in
            let start = try await WorkflowStart(request, client, failsExisting: failsExisting)
            StandardOutput.show(format.isJSON ? format.text(of: .object(start.json)) : start.text())
        }
    }

    static let execute = Command(
        "execute",
        abstract: "Start a workflow and wait for its result.",
        discussion: """
            It ends with 1 unless the workflow completed. Ctrl-C ends the wait, not the workflow. Example:
            sagamore workflow execute --type TravelBooking -t travel-booking -i '{"user_id": "u"}'
            """,
        parameters: StartOptions.parameters
    ) { values in
        let request = try StartOptions.request(values)
        let failsExisting = values[StartOptions.failsExisting]
        let format = values[OutputFormat.option]
        try await ServiceClient.use(values) { client in
            let began = ContinuousClock.now
            let start = try await WorkflowStart(request, client, failsExisting: failsExisting)
            if !format.isJSON { StandardOutput.show(start.text() + "\n") }
            let reader = HistoryReader(client: client)
            let event = try await reader.closeEvent(of: start.execution, hasAnswered: true)
            let outcome = WorkflowOutcome(event, took: began.duration(to: .now))
            StandardOutput.show(try format.isJSON ? format.text(of: outcome.json(start.json)) : outcome.text())
            try outcome.check()
        }
    }
}

/// `sagamore workflow result`.
enum ResultCommand {
    static let command = Command(
        "result",
        abstract: "Wait for the result of a workflow.",
        discussion: """
            It ends with 1 unless the workflow completed. A run that continues as a new one is followed. Example:
            sagamore workflow result -w trip-1
            """,
        parameters: WorkflowSelection.parameters()
    ) { values in
        let workflow = try WorkflowSelection.execution(values)
        let format = values[OutputFormat.option]
        try await ServiceClient.use(values) { client in
            let outcome = WorkflowOutcome(try await HistoryReader(client: client).closeEvent(of: workflow))
            var about = JSONObject()
            about["workflowId"] = .string(workflow.workflowID)
            if !workflow.runID.isEmpty { about["runId"] = .string(workflow.runID) }
            about["namespace"] = .string(client.namespace)
            StandardOutput.show(try format.isJSON ? format.text(of: outcome.json(about)) : outcome.text())
            try outcome.check()
        }
    }
}
