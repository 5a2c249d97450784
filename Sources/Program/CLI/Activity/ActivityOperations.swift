internal import SagamoreAPI
internal import SagamoreCommandLineArguments
internal import SagamoreProtobuf

/// `sagamore activity pause`, `unpause` and `reset`.
enum ActivityOperations {
    static let reason = Option<String?>("--reason", valueName: "TEXT", help: "Why, for its description.")
    static let identity = Option<String?>("--identity", valueName: "TEXT", help: "Who asks. Default: USER@HOST.")
    static let jitter = Option<PositiveDuration?>(
        "--jitter",
        valueName: "DURATION",
        help: "How late it may start, by chance."
    )
    static let clearsHeartbeat = Flag("--clear-heartbeat-details", help: "Forget what it last reported.")
    static let keepsPaused = Flag("--keep-paused", help: "Leave it paused, if it is.")
    static let restoresOptions = Flag("--restore-original-options", help: "Give it the options it was scheduled with.")

    static let pause = Command(
        "pause",
        abstract: "Start no further attempt of an activity.",
        discussion: """
            An attempt that runs goes on. Its timeouts go on, too: 'update-options' makes them longer. Example:
            sagamore activity pause -w trip-1 -a book_car --reason "the bank is closed"
            """,
        parameters: ActivitySelection.parameters([reason, identity])
    ) { values in
        var request = PauseActivityRequest()
        request.namespace = values[Places.namespace]
        request.execution = try WorkflowSelection.execution(values)
        request.activity = .id(try ActivitySelection.id(values))
        request.reason = values[reason] ?? ""
        request.identity = values[identity] ?? CommandIdentity.text
        request.requestID = CommandIdentity.newID()
        let pause = request
        try await ServiceClient.use(values) { client in
            let _: PauseActivityResponse = try await client.call(.pauseActivity, pause)
            Report.done("Activity paused", values)
        }
    }

    static let unpause = Command(
        "unpause",
        abstract: "Let a paused activity, or those of all runs that match a filter, go on.",
        discussion: """
            Example:
            sagamore activity unpause -w trip-1 -a book_car
            """,
        parameters: ActivityTarget.parameters([jitter])
    ) { values in
        switch try ActivityTarget(values) {
        case .activity(let id, let workflow):
            var request = UnpauseActivityRequest()
            request.namespace = values[Places.namespace]
            request.execution = workflow
            request.activity = .id(id)
            request.jitter = values[jitter]?.message
            request.identity = CommandIdentity.text
            let unpause = request
            try await ServiceClient.use(values) { client in
                let _: UnpauseActivityResponse = try await client.call(.unpauseActivity, unpause)
                Report.done("Activity unpaused", values)
            }
        case .runs(let query):
            var operation = BatchOperationUnpauseActivities()
            operation.identity = CommandIdentity.text
            operation.activity = .matchAll(true)
            operation.jitter = values[jitter]?.message
            let reason = values[WorkflowEnding.batchReason]
            try await BatchStart(query, .unpauseActivitiesOperation(operation), reason: reason, values).run()
        }
    }

    static let reset = Command(
        "reset",
        abstract: "Let an activity, or those of all runs that match a filter, begin anew.",
        discussion: """
            The next attempt is the first one. An attempt that runs learns of it by its heartbeat. Example:
            sagamore activity reset -w trip-1 -a book_car --keep-paused
            """,
        parameters: ActivityTarget.parameters([clearsHeartbeat, keepsPaused, restoresOptions, jitter])
    ) { values in
        switch try ActivityTarget(values) {
        case .activity(let id, let workflow):
            let request = resetRequest(id, workflow, values)
            try await ServiceClient.use(values) { client in
                let _: ResetActivityResponse = try await client.call(.resetActivity, request)
                Report.done("Activity reset", values)
            }
        case .runs(let query):
            let operation = resetOperation(values)
            let reason = values[WorkflowEnding.batchReason]
            try await BatchStart(query, .resetActivitiesOperation(operation), reason: reason, values).run()
        }
    }

    static func resetRequest(_ id: String, _ workflow: WorkflowExecution, _ values: ParsedValues)
        -> ResetActivityRequest
    {
        var request = ResetActivityRequest()
        request.namespace = values[Places.namespace]
        request.execution = workflow
        request.activity = .id(id)
        request.resetHeartbeat = values[clearsHeartbeat]
        request.keepPaused = values[keepsPaused]
        request.restoreOriginalOptions = values[restoresOptions]
        request.jitter = values[jitter]?.message
        request.identity = CommandIdentity.text
        return request
    }

    static func resetOperation(_ values: ParsedValues) -> BatchOperationResetActivities {
        var operation = BatchOperationResetActivities()
        operation.identity = CommandIdentity.text
        operation.activity = .matchAll(true)
        operation.resetAttempts = true
        operation.resetHeartbeat = values[clearsHeartbeat]
        operation.keepPaused = values[keepsPaused]
        operation.restoreOriginalOptions = values[restoresOptions]
        operation.jitter = values[jitter]?.message
        return operation
    }
}
