internal import SagamoreAPI
internal import SagamoreEngine
internal import SagamoreGRPC
internal import SagamoreProtobuf
internal import SagamoreServices

/// Activities answered from outside: complete, fail, cancel, heartbeat, by workflow id and activity id.
///
/// A report that exceeds the size of payloads fails the activity, as with a task's token.
extension GRPCFront {
    func registerActivitiesByID(on server: GRPCServer) {
        register(.respondActivityTaskCompletedById, on: server, .hot) {
            [self] (call, request: RespondActivityTaskCompletedByIdRequest) throws(RequestError) in
            noteSize(request.result?.bytes.count, of: "result", call)
            try answer(call, ActivityName(request), .completed(request.result)) { _ in [] }
        }
        register(.respondActivityTaskFailedById, on: server, .hot) {
            [self] (call, request: RespondActivityTaskFailedByIdRequest) throws(RequestError) in
            try fail(call, request)
        }
        register(.respondActivityTaskCanceledById, on: server, .hot) {
            [self] (call, request: RespondActivityTaskCanceledByIdRequest) throws(RequestError) in
            try answer(call, ActivityName(request), canceled(call, request.details)) { _ in [] }
        }
        register(.recordActivityTaskHeartbeatById, on: server, .hot) {
            [self] (call, request: RecordActivityTaskHeartbeatByIdRequest) throws(RequestError) in
            try heartbeat(call, request)
        }
    }

    private func fail(_ call: GRPCServerCall, _ request: RespondActivityTaskFailedByIdRequest) throws(RequestError) {
        var response = RespondActivityTaskFailedByIdResponse()
        var (failure, details) = (request.failure, request.lastHeartbeatDetails)
        if isTooLarge(details?.bytes.count, "last_heartbeat_details", call) {
            details = nil
            response.failures.append(.ofServer("Heartbeat details exceed size limit."))
        }
        if let given = failure, isTooLarge(given.bytes.count, "failure", call) {
            let shorter = given.tooLarge
            failure = shorter
            response.failures.append(shorter)
        }
        let bytes = response.serializedBytes()
        try answer(call, ActivityName(request), .failed(failure, lastHeartbeat: details)) { _ in bytes }
    }

    private func canceled(_ call: GRPCServerCall, _ details: RawMessage<Payloads>?) -> ActivityAnswer {
        guard isTooLarge(details?.bytes.count, "details", call) else { return .canceled(details) }
        return .failed(.ofServer("Cancel details exceed size limit."), lastHeartbeat: nil)
    }

    private func heartbeat(
        _ call: GRPCServerCall,
        _ request: RecordActivityTaskHeartbeatByIdRequest
    ) throws(RequestError) {
        let isTooLarge = isTooLarge(request.details?.bytes.count, "details", call)
        let answer: ActivityAnswer =
            isTooLarge
            ? .failed(.ofServer("Heartbeat details exceed size limit."), lastHeartbeat: nil)
            : .heartbeat(request.details)
        try self.answer(call, ActivityName(request), answer) { news in
            var response = RecordActivityTaskHeartbeatByIdResponse()
            // Whoever sent too much is told to stop: its activity has failed.
            response.cancelRequested = news.cancelRequested || isTooLarge
            response.activityPaused = news.isPaused
            response.activityReset = news.isReset
            return response.serializedBytes()
        }
    }

    private func answer(
        _ call: GRPCServerCall,
        _ name: ActivityName,
        _ answer: ActivityAnswer,
        _ encode: @escaping @Sendable (HeartbeatAnswer) -> [UInt8]
    ) throws(RequestError) {
        let workflow = try workflow(of: name)
        try check(identity: name.identity)
        history.answerActivity(
            name.activityID,
            of: workflow,
            answer,
            identity: name.identity,
            reply: reply(to: call, encode)
        )
    }

    private func workflow(of name: ActivityName) throws(RequestError) -> WorkflowReference {
        let namespace = try self.namespace(name.namespace)
        if name.activityID.isEmpty { throw .invalidArgument("ActivityId is not set on request.") }
        var execution = WorkflowExecution()
        execution.workflowID = name.workflowID
        execution.runID = name.runID
        // Without a workflow the id would be that of an activity that stands alone.
        if name.workflowID.isEmpty {
            throw RequestError(.notFound, "activity not found for ID: \(name.activityID.prefix(utf8: 1_500))")
        }
        if !name.runID.isEmpty, RunID(name.runID) == nil { throw .invalidArgument("RunId is not valid UUID.") }
        return try workflow(execution, in: namespace.name)
    }
}

/// Who answers which activity.
private struct ActivityName {
    let namespace: String
    let workflowID: String
    let runID: String
    let activityID: String
    let identity: String

    init(_ request: RespondActivityTaskCompletedByIdRequest) {
        (namespace, workflowID, runID) = (request.namespace, request.workflowID, request.runID)
        (activityID, identity) = (request.activityID, request.identity)
    }

    init(_ request: RespondActivityTaskFailedByIdRequest) {
        (namespace, workflowID, runID) = (request.namespace, request.workflowID, request.runID)
        (activityID, identity) = (request.activityID, request.identity)
    }

    init(_ request: RespondActivityTaskCanceledByIdRequest) {
        (namespace, workflowID, runID) = (request.namespace, request.workflowID, request.runID)
        (activityID, identity) = (request.activityID, request.identity)
    }

    init(_ request: RecordActivityTaskHeartbeatByIdRequest) {
        (namespace, workflowID, runID) = (request.namespace, request.workflowID, request.runID)
        (activityID, identity) = (request.activityID, request.identity)
    }
}
