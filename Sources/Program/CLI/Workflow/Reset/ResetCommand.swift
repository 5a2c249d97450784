internal import SagamoreAPI
internal import SagamoreCommandLineArguments
internal import SagamoreJSONText
internal import SagamoreProtobuf

/// `sagamore workflow reset`.
enum ResetCommand {
    static let eventID = Option<Int?>(
        "--event-id",
        "-e",
        valueName: "NUMBER",
        help: "The end of the workflow task to go back to, such as its WorkflowTaskCompleted."
    )
    static let kind = Option<ResetPoint.Kind?>(
        "--type",
        "-t",
        valueName: "TYPE",
        help: "The workflow task to go back to; LastContinuedAsNew is the last one of the run before, BuildId the "
            + "first one of a build."
    )
    static let build = Option<String?>(
        "--build-id",
        valueName: "ID",
        help: "With '--type BuildId': go back to where this build began, which may be in an earlier run."
    )
    static let reason = Option<String?>(
        "--reason",
        valueName: "TEXT",
        help: "Why, for the history. Default: who asked."
    )
    static let excluded = Option<[Exclusion]>(
        "--reapply-exclude",
        "--exclude",
        valueName: "TYPE",
        help: "What came later and is not given to the new run."
    )

    static let command = Command(
        "reset",
        abstract: "Let a workflow, or all runs that match a filter, go on from an earlier workflow task.",
        discussion: """
            A new run gets the history up to there, and what came later from outside, such as signals. The old one is \
            terminated if it is open. What activities did meanwhile stays done. Example:
            sagamore workflow reset -w trip-1 --type LastWorkflowTask --reason "a bug is fixed"
            """,
        parameters: WorkflowTarget.parameters([eventID, kind, build, reason, excluded])
    ) { values in
        switch try WorkflowTarget(values) {
        case .workflow(let workflow): try await reset(workflow, to: try point(values), values)
        case .runs(let query):
            let operation = try operation(values)
            try await BatchStart(query, .resetOperation(operation), reason: values[reason], values).run()
        }
    }

    /// What the new run does not get of what came later.
    enum Exclusion: String, CaseIterable, ExpressibleByArgument {
        case all = "All"
        case signal = "Signal"
        case update = "Update"
        case cancelRequest = "CancelRequest"

        var types: [ResetReapplyExcludeType] {
            switch self {
            case .all: [.signal, .update, .nexus, .cancelRequest]
            case .signal: [.signal]
            case .update: [.update]
            case .cancelRequest: [.cancelRequest]
            }
        }
    }

    /// - Throws: `UsageError` unless one point is given.
    static func point(_ values: ParsedValues) throws(UsageError) -> ResetPoint {
        try checkBuild(values)
        switch (values[eventID], values[kind]) {
        case (let id?, nil):
            guard id > 0 else { throw UsageError("'--event-id' expects a number above 0") }
            return .event(Int64(id))
        case (nil, .firstWorkflowTask?): return .firstWorkflowTask
        case (nil, .lastWorkflowTask?): return .lastWorkflowTask
        case (nil, .lastContinuedAsNew?): return .lastContinuedAsNew
        case (nil, .build?): return .build(try buildID(values))
        default: throw UsageError("set either '--event-id' or '--type'")
        }
    }

    private static func checkBuild(_ values: ParsedValues) throws(UsageError) {
        if values[build] != nil, values[kind] != .build { throw UsageError("'--build-id' needs '--type BuildId'") }
    }

    private static func buildID(_ values: ParsedValues) throws(UsageError) -> String {
        guard let id = values[build], !id.isEmpty else { throw UsageError("'--type BuildId' needs '--build-id'") }
        return id
    }

    /// The reset of each run of a batch.
    static func operation(_ values: ParsedValues) throws(UsageError) -> BatchOperationReset {
        guard values[eventID] == nil else { throw UsageError("'--event-id' cannot be combined with '--query'") }
        try checkBuild(values)
        var options = ResetOptions()
        switch values[kind] {
        case .firstWorkflowTask?: options.target = .firstWorkflowTask(ProtobufEmpty())
        case .lastWorkflowTask?: options.target = .lastWorkflowTask(ProtobufEmpty())
        case .build?: options.target = .buildID(try buildID(values))
        case .lastContinuedAsNew?, nil:
            throw UsageError("'--query' needs the '--type' FirstWorkflowTask, LastWorkflowTask or BuildId")
        }
        options.resetReapplyType = .allEligible
        options.resetReapplyExcludeTypes = exclusions(values)
        var operation = BatchOperationReset()
        operation.identity = CommandIdentity.text
        operation.options = options
        return operation
    }

    static func request(
        _ workflow: WorkflowExecution,
        to eventID: Int64,
        _ values: ParsedValues
    ) -> ResetWorkflowExecutionRequest {
        var request = ResetWorkflowExecutionRequest()
        request.namespace = values[Places.namespace]
        request.workflowExecution = workflow
        request.reason = values[reason] ?? CommandIdentity.reason
        request.workflowTaskFinishEventID = eventID
        request.requestID = CommandIdentity.newID()
        request.resetReapplyType = .allEligible
        request.resetReapplyExcludeTypes = exclusions(values)
        request.identity = CommandIdentity.text
        return request
    }

    private static func exclusions(_ values: ParsedValues) -> [ResetReapplyExcludeType] {
        var types: [ResetReapplyExcludeType] = []
        for type in values[excluded].flatMap(\.types) where !types.contains(type) { types.append(type) }
        return types
    }

    private static func reset(
        _ workflow: WorkflowExecution,
        to point: ResetPoint,
        _ values: ParsedValues
    ) async throws {
        let format = values[OutputFormat.option]
        try await ServiceClient.use(values) { client in
            let (run, eventID) = try await find(point, in: workflow, client)
            let response: ResetWorkflowExecutionResponse = try await client.call(
                .resetWorkflowExecution,
                request(run, to: eventID, values),
                advice: [.invalidArgument: "See 'sagamore workflow show' for the ends of its workflow tasks"]
            )
            if format.isJSON {
                let object: JSONObject = [
                    "workflowId": .string(workflow.workflowID), "runId": .string(response.runID),
                ]
                StandardOutput.show(format.text(of: .object(object)))
            } else {
                var properties = Properties()
                properties.add("WorkflowId", workflow.workflowID)
                properties.add("RunId", response.runID)
                properties.add("EventId", String(eventID))
                StandardOutput.show(properties.text(title: "New run:", isColored: Color.isOn))
            }
        }
    }

    /// The run and its event.
    private static func find(
        _ point: ResetPoint,
        in workflow: WorkflowExecution,
        _ client: ServiceClient
    ) async throws(CommandFailure) -> (run: WorkflowExecution, eventID: Int64) {
        if case .event(let id) = point { return (workflow, id) }
        if case .build(let id) = point { return try await beginning(of: id, in: workflow, client) }
        let reader = HistoryReader(client: client)
        var run = workflow
        var events = try await reader.events(of: run)
        if point == .lastContinuedAsNew {
            guard case .workflowExecutionStartedEventAttributes(let start)? = events.first?.attributes,
                !start.continuedExecutionRunID.isEmpty
            else { throw CommandFailure("the run did not begin as the continuation of another one") }
            run.runID = start.continuedExecutionRunID
            events = try await reader.events(of: run)
        }
        guard let id = point.eventID(in: events) else {
            throw CommandFailure("the run has no workflow task to go back to. Terminate it and start it again")
        }
        return (run, id)
    }

    /// Where a build has begun to work on the chain.
    private static func beginning(
        of build: String,
        in workflow: WorkflowExecution,
        _ client: ServiceClient
    ) async throws(CommandFailure) -> (run: WorkflowExecution, eventID: Int64) {
        let description = try await DescribeCommand.description(of: workflow, client)
        let points = description.workflowExecutionInfo?.autoResetPoints?.points ?? []
        guard let point = points.first(where: { $0.buildID == build }) else {
            let known = points.map(\.buildID).filter { !$0.isEmpty }
            let hint = known.isEmpty ? "No build has a name there" : "Those that have: \(known.joined(separator: ", "))"
            throw CommandFailure("build \(build) has completed no workflow task of the workflow. \(hint)")
        }
        var run = workflow
        run.runID = point.runID
        return (run, point.firstWorkflowTaskCompletedID)
    }
}
