internal import SagamoreAPI
internal import SagamoreEngine
internal import SagamoreGRPC
internal import SagamoreProtobuf
internal import SagamoreServices

/// Activity tasks: poll, complete, fail, cancel, heartbeat.
///
/// A report that exceeds the size of payloads fails the activity with a message that says so. A refusal would make the
/// worker send the report again.
extension GRPCFront {
    func registerActivityTasks(on server: GRPCServer) {
        register(.pollActivityTaskQueue, on: server, .hot) {
            [self] (call, request: PollActivityTaskQueueRequest) throws(RequestError) in
            try poll(call, request)
        }
        register(.respondActivityTaskCompleted, on: server, .hot) {
            [self] (call, request: RespondActivityTaskCompletedRequest) throws(RequestError) in
            try complete(call, request)
        }
        register(.respondActivityTaskFailed, on: server, .hot) {
            [self] (call, request: RespondActivityTaskFailedRequest) throws(RequestError) in
            try fail(call, request)
        }
        register(.respondActivityTaskCanceled, on: server, .hot) {
            [self] (call, request: RespondActivityTaskCanceledRequest) throws(RequestError) in
            try cancel(call, request)
        }
        register(.recordActivityTaskHeartbeat, on: server, .hot) {
            [self] (call, request: RecordActivityTaskHeartbeatRequest) throws(RequestError) in
            try heartbeat(call, request)
        }
    }

    private func poll(_ call: GRPCServerCall, _ request: PollActivityTaskQueueRequest) throws(RequestError) {
        guard
            let poll = try self.poll(
                call,
                namespace: request.namespace,
                queue: request.taskQueue,
                .activity,
                identity: request.identity,
                instanceKey: request.workerInstanceKey,
                buildID: request.workerVersionCapabilities?.buildID ?? "",
                tasksPerSecond: request.taskQueueMetadata?.maxTasksPerSecond?.value
            )
        else { return }
        let namespace = poll.namespace.name
        let reply = Reply<AssignedActivityTask?> { [self] outcome in
            switch outcome {
            case .success(let task?): deliver(task, namespace, to: call)
            case .success(nil): call.reply([])
            case .failure(let error): refuse(call, error)
            }
        }
        let handle = matching.pollActivityTask(poll.queue, poller: poll.poller, deadline: poll.deadline, reply: reply)
        watch(poll, handle, of: call)
    }

    /// Delivers an attempt whose start is committed. If the answer cannot be sent, the attempt is offered again at
    /// once.
    private func deliver(_ task: AssignedActivityTask, _ namespace: String, to call: GRPCServerCall) {
        let token = task.activityToken
        let bytes = PollActivityTaskQueueResponse(task, namespace: namespace).serializedBytes()
        call.reply(bytes) { [history] isDelivered in
            if !isDelivered { history.returnActivity(token) }
        }
    }

    private func complete(_ call: GRPCServerCall, _ request: RespondActivityTaskCompletedRequest) throws(RequestError) {
        let token = try activityTaskToken(request.taskToken, in: request.namespace)
        try check(identity: request.identity)
        // A result that is too large is not refused: it fails the activity.
        noteSize(request.result?.bytes.count, of: "result", call)
        history.completeActivity(
            token,
            result: request.result,
            identity: request.identity,
            reply: emptyReply(to: call)
        )
    }

    private func fail(_ call: GRPCServerCall, _ request: RespondActivityTaskFailedRequest) throws(RequestError) {
        let token = try activityTaskToken(request.taskToken, in: request.namespace)
        try check(identity: request.identity)
        var (failure, details) = (request.failure, request.lastHeartbeatDetails)
        var response = RespondActivityTaskFailedResponse()
        if isTooLarge(details?.bytes.count, "last_heartbeat_details", call) {
            details = nil
            response.failures.append(.ofServer("Heartbeat details exceed size limit."))
        }
        if let given = failure, isTooLarge(given.bytes.count, "failure", call) {
            let shorter = given.tooLarge
            failure = shorter
            response.failures.append(shorter)
        }
        let answer = response.serializedBytes()
        history.failActivity(
            token,
            failure: failure,
            lastHeartbeat: details,
            identity: request.identity,
            reply: reply(to: call) { answer }
        )
    }

    private func cancel(_ call: GRPCServerCall, _ request: RespondActivityTaskCanceledRequest) throws(RequestError) {
        let token = try activityTaskToken(request.taskToken, in: request.namespace)
        try check(identity: request.identity)
        if isTooLarge(request.details?.bytes.count, "details", call) {
            fail(token, "Cancel details exceed size limit.", request.identity, reply: emptyReply(to: call))
            return
        }
        history.cancelActivity(
            token,
            details: request.details,
            identity: request.identity,
            reply: emptyReply(to: call)
        )
    }

    private func heartbeat(_ call: GRPCServerCall, _ request: RecordActivityTaskHeartbeatRequest) throws(RequestError) {
        let token = try activityTaskToken(request.taskToken, in: request.namespace)
        try check(identity: request.identity)
        if isTooLarge(request.details?.bytes.count, "details", call) {
            // Tells the worker to stop: its activity has failed.
            let reply: Reply<Void> = reply(to: call) { Self.encoded(HeartbeatAnswer(cancelRequested: true)) }
            fail(token, "Heartbeat details exceed size limit.", request.identity, reply: reply)
            return
        }
        history.heartbeat(
            token,
            details: request.details,
            reply: reply(to: call) { Self.encoded($0) }
        )
    }

    private static func encoded(_ answer: HeartbeatAnswer) -> [UInt8] {
        var response = RecordActivityTaskHeartbeatResponse()
        response.cancelRequested = answer.cancelRequested
        response.activityPaused = answer.isPaused
        response.activityReset = answer.isReset
        return response.serializedBytes()
    }

    private func fail(_ token: ActivityTaskToken, _ message: String, _ identity: String, reply: Reply<Void>) {
        history.failActivity(token, failure: .ofServer(message), lastHeartbeat: nil, identity: identity, reply: reply)
    }
}
