internal import SagamoreAPI
internal import SagamoreCommandLineArguments
internal import SagamoreProtobuf

/// `sagamore workflow update`.
enum UpdateCommands {
    static let name = Option<String>("--name", "--type", valueName: "NAME", help: "The update's name.")
    static let newUpdateID = Option<String?>(
        "--update-id",
        valueName: "ID",
        help: "The update's id: one that exists is waited for. Default: a new one."
    )
    static let updateID = Option<String>("--update-id", valueName: "ID", help: "The update.")
    static let firstRunID = Option<String?>(
        "--first-execution-run-id",
        valueName: "ID",
        help: "Only if the workflow began with this run."
    )
    static let stage = Option<Stage>(
        "--wait-for-stage",
        valueName: "STAGE",
        default: .accepted,
        help: "What to wait for."
    )

    /// The stages that `start` can wait for.
    enum Stage: String, CaseIterable, ExpressibleByArgument { case accepted }

    private static let sending: [any Parameter] =
        [name, newUpdateID, firstRunID] + InputOptions.own.parameters + [NewWorkflowOptions.headers]

    static let execute = Command(
        "execute",
        abstract: "Send an update to a workflow and wait for its result.",
        discussion: """
            It ends with 1 when the update is rejected or fails. Ctrl-C ends the wait, not the update. Example:
            sagamore workflow update execute -w cart-1 --name add_item -i '{"item": "book"}'
            """,
        parameters: WorkflowSelection.parameters(sending)
    ) { values in
        let request = try request(values, waitingFor: .completed)
        try await run(values, name: values[name]) { updates in try await updates.send(request) }
    }

    static let start = Command(
        "start",
        abstract: "Send an update to a workflow and wait until it is accepted.",
        discussion: """
            It ends with 1 when the update is rejected. 'workflow update result' waits for the result. Example:
            sagamore workflow update start -w cart-1 --name check_out --update-id check-out-1
            """,
        parameters: WorkflowSelection.parameters(sending + [stage])
    ) { values in
        let request = try request(values, waitingFor: .accepted)
        try await run(values, name: values[name], showsStage: true) { updates in try await updates.send(request) }
    }

    static let result = Command(
        "result",
        abstract: "Wait for the result of an update.",
        discussion: """
            It ends with 1 when the update failed. Example:
            sagamore workflow update result -w cart-1 --update-id check-out-1
            """,
        parameters: WorkflowSelection.parameters([updateID])
    ) { values in
        let reference = try reference(values)
        try await run(values) { updates in try await updates.wait(for: reference, until: .completed) }
    }

    static let describe = Command(
        "describe",
        abstract: "Show how far an update has come.",
        discussion: """
            Example:
            sagamore workflow update describe -w cart-1 --update-id check-out-1
            """,
        parameters: WorkflowSelection.parameters([updateID])
    ) { values in
        let reference = try reference(values)
        let format = values[OutputFormat.option]
        try await ServiceClient.use(values) { client in
            let state = try await UpdateClient(client: client).wait(for: reference, until: .unspecified)
            try show(state, format, name: nil, showsStage: true)
        }
    }

    static func request(
        _ values: ParsedValues,
        waitingFor stage: UpdateWorkflowExecutionLifecycleStage
    ) throws -> UpdateWorkflowExecutionRequest {
        if values[newUpdateID] == "" { throw UsageError("'--update-id' must not be empty") }
        var meta = Meta()
        meta.updateID = values[newUpdateID] ?? CommandIdentity.newID()
        meta.identity = CommandIdentity.text
        var input = Input()
        input.name = values[name]
        input.args = try InputOptions.own.payloads(values)
        input.header = try NewWorkflowOptions.header(values)
        var update = Request()
        update.meta = meta
        update.input = input
        var policy = WaitPolicy()
        policy.lifecycleStage = stage
        var request = UpdateWorkflowExecutionRequest()
        request.namespace = values[Places.namespace]
        request.workflowExecution = try WorkflowSelection.execution(values)
        request.firstExecutionRunID = values[firstRunID] ?? ""
        request.waitPolicy = policy
        request.request = update
        return request
    }

    private static func reference(_ values: ParsedValues) throws(UsageError) -> UpdateRef {
        guard !values[updateID].isEmpty else { throw UsageError("'--update-id' must not be empty") }
        var reference = UpdateRef()
        reference.workflowExecution = try WorkflowSelection.execution(values)
        reference.updateID = values[updateID]
        return reference
    }

    /// Shows what comes of an update.
    private static func run(
        _ values: ParsedValues,
        name: String? = nil,
        showsStage: Bool = false,
        _ work: (UpdateClient) async throws -> UpdateState
    ) async throws {
        let format = values[OutputFormat.option]
        try await ServiceClient.use(values) { client in
            let state = try await work(UpdateClient(client: client))
            try show(state, format, name: name, showsStage: showsStage)
            try state.check()
        }
    }

    private static func show(
        _ state: UpdateState,
        _ format: OutputFormat,
        name: String?,
        showsStage: Bool
    ) throws {
        if format.isJSON {
            StandardOutput.show(format.text(of: try state.json(name: name, showsStage: showsStage)))
        } else {
            StandardOutput.show(try state.text(name: name, showsStage: showsStage))
        }
    }
}
