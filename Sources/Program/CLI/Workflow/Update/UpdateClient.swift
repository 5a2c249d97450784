internal import SagamoreAPI
internal import SagamoreJSONText
internal import SagamoreProtobuf

/// How far an update has come.
struct UpdateState {
    let reference: UpdateRef
    let stage: UpdateWorkflowExecutionLifecycleStage
    let outcome: Outcome?

    /// `Accepted`.
    var stageText: String { stage.description.inCamelCase(without: "UPDATE_WORKFLOW_EXECUTION_LIFECYCLE_STAGE_") }

    func hasCome(to wanted: UpdateWorkflowExecutionLifecycleStage) -> Bool {
        outcome != nil || stage.rawValue >= wanted.rawValue
    }

    /// - Throws: `CommandFailure` when the update was rejected or failed.
    func check() throws {
        guard case .failure(let failure)? = outcome?.value else { return }
        throw CommandFailure("update failed: \(try failure.decoded().text)")
    }

    /// - Parameters:
    ///   - name: of the handler; nil when it is unknown.
    ///   - showsStage: whether the stage is told.
    func text(name: String?, showsStage: Bool, isColored: Bool = Color.isOn) throws -> String {
        var properties = Properties()
        properties.add("WorkflowId", reference.workflowExecution?.workflowID)
        properties.add("RunId", reference.workflowExecution?.runID)
        properties.add("Name", name)
        properties.add("UpdateId", reference.updateID)
        if showsStage { properties.add("Stage", stageText) }
        switch outcome?.value {
        case .success(let payloads)?: properties.add("Result", try payloads.decoded().text)
        case .failure(let failure)?: properties.add("Failure", try failure.decoded().text, color: .red)
        case nil: break
        }
        return properties.text(title: "Update:", isColored: isColored)
    }

    func json(name: String?, showsStage: Bool) throws -> JSONValue {
        var object = JSONObject()
        object["workflowId"] = .string(reference.workflowExecution?.workflowID ?? "")
        object["runId"] = .string(reference.workflowExecution?.runID ?? "")
        if let name { object["name"] = .string(name) }
        object["updateId"] = .string(reference.updateID)
        if showsStage { object["stage"] = .string(stageText) }
        switch outcome?.value {
        case .success(let payloads)?:
            let values = try payloads.decoded().values()
            object["result"] = values.count == 1 ? values[0] : .array(values)
        case .failure(let failure)?: object["failure"] = try ProtobufJSON.value(of: try failure.decoded())
        case nil: break
        }
        return .object(object)
    }
}

/// Sends updates, and waits for them.
struct UpdateClient {
    let client: ServiceClient

    private static let advice: ServiceClient.Advice = [
        .deadlineExceeded: "Does a worker poll the workflow's task queue?"
    ]

    /// Sends an update and waits until it comes to the stage of its request.
    func send(_ request: UpdateWorkflowExecutionRequest) async throws(CommandFailure) -> UpdateState {
        let wanted = request.waitPolicy?.lifecycleStage ?? .completed
        var state = try await sendOnce(request)
        while !state.hasCome(to: wanted) {
            // One that no worker accepted is not durable: it is sent again, by the same id.
            if state.stage == .accepted {
                state = try await poll(state.reference, until: wanted)
            } else {
                state = try await sendOnce(request)
            }
        }
        return state
    }

    private func sendOnce(_ request: UpdateWorkflowExecutionRequest) async throws(CommandFailure) -> UpdateState {
        let response: UpdateWorkflowExecutionResponse = try await client.call(
            .updateWorkflowExecution,
            request,
            advice: Self.advice
        )
        return UpdateState(
            reference: response.updateRef ?? Self.reference(request),
            stage: response.stage,
            outcome: response.outcome
        )
    }

    /// Waits until an update comes to a stage; `unspecified` asks how far it is.
    func wait(
        for reference: UpdateRef,
        until wanted: UpdateWorkflowExecutionLifecycleStage
    ) async throws(CommandFailure) -> UpdateState {
        while true {
            let state = try await poll(reference, until: wanted)
            if state.hasCome(to: wanted) { return state }
        }
    }

    /// The server answers after 20 seconds, whatever the stage is then.
    private func poll(
        _ reference: UpdateRef,
        until wanted: UpdateWorkflowExecutionLifecycleStage
    ) async throws(CommandFailure) -> UpdateState {
        var policy = WaitPolicy()
        policy.lifecycleStage = wanted
        var request = PollWorkflowExecutionUpdateRequest()
        request.namespace = client.namespace
        request.updateRef = reference
        request.identity = CommandIdentity.text
        request.waitPolicy = policy
        let response: PollWorkflowExecutionUpdateResponse = try await client.call(.pollWorkflowExecutionUpdate, request)
        return UpdateState(
            reference: response.updateRef ?? reference,
            stage: response.stage,
            outcome: response.outcome
        )
    }

    private static func reference(_ request: UpdateWorkflowExecutionRequest) -> UpdateRef {
        var reference = UpdateRef()
        reference.workflowExecution = request.workflowExecution
        reference.updateID = request.request?.meta?.updateID ?? ""
        return reference
    }
}
