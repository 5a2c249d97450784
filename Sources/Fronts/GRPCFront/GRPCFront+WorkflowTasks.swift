internal import SagamoreAPI
internal import SagamoreEngine
internal import SagamoreGRPC
internal import SagamoreProtobuf
internal import SagamoreServices

/// Workflow tasks: poll, complete, fail; and the shutdown of workers.
extension GRPCFront {
    func registerWorkflowTasks(on server: GRPCServer) {
        register(.pollWorkflowTaskQueue, on: server, .hot) {
            [self] (call, request: PollWorkflowTaskQueueRequest) throws(RequestError) in
            try poll(call, request)
        }
        register(.respondWorkflowTaskCompleted, on: server, .hot) {
            [self] (call, request: RespondWorkflowTaskCompletedRequest) throws(RequestError) in
            try complete(call, request)
        }
        register(.respondWorkflowTaskFailed, on: server, .hot) {
            [self] (call, request: RespondWorkflowTaskFailedRequest) throws(RequestError) in
            try fail(call, request)
        }
        register(.shutdownWorker, on: server, .hot) {
            [self] (call, request: ShutdownWorkerRequest) throws(RequestError) in
            try shutDown(call, request)
        }
    }

    private func poll(_ call: GRPCServerCall, _ request: PollWorkflowTaskQueueRequest) throws(RequestError) {
        guard
            let poll = try self.poll(
                call,
                namespace: request.namespace,
                queue: request.taskQueue,
                .workflow,
                identity: request.identity,
                instanceKey: request.workerInstanceKey,
                buildID: request.workerVersionCapabilities?.buildID ?? ""
            )
        else { return }
        let isSticky = request.taskQueue?.kind == .sticky
        var normalQueue = poll.queue.name
        if isSticky, let name = request.taskQueue?.normalName, !name.isEmpty { normalQueue = name }
        // A task that cannot be delivered times out: part of its history may have been sent.
        let reply = Reply<PolledWorkflowTask> { [self, normalQueue] outcome in
            switch outcome {
            case .success(.task(let task)): call.reply(EncodedWorkflowTask(task).parts)
            case .success(.query(let query)): call.reply(EncodedWorkflowTask(query, normalQueue: normalQueue).parts)
            case .success(.none): call.reply([])
            case .failure(let error): refuse(call, error)
            }
        }
        let handle = matching.pollWorkflowTask(
            poll.queue,
            isSticky: isSticky,
            poller: poll.poller,
            deadline: poll.deadline,
            reply: reply
        )
        watch(poll, handle, of: call)
    }

    private func complete(
        _ call: GRPCServerCall,
        _ request: RespondWorkflowTaskCompletedRequest
    ) throws(RequestError) {
        let (token, namespace) = try workflowTaskToken(request.taskToken, in: request.namespace)
        try check(identity: request.identity)
        guard !request.intermediatePage, request.pageNumber == 0 else {
            throw RequestError(.unimplemented, "completions in pages are not available in this version of sagamore")
        }
        for command in request.commands { noteSize(command.payloadBytes, of: "commands", call) }
        let reply = Reply<CompletedWorkflowTask> { [self] outcome in
            switch outcome {
            case .success(let completed): deliver(completed, namespace.name, of: request.taskToken, to: call)
            case .failure(let error):
                ended(request.taskToken, isDelivered: false)
                refuse(call, error)
            }
        }
        completions.begin(request.taskToken)
        history.completeWorkflowTask(token, request, reply: reply)
    }

    /// Answers a completion with the next tasks. Activities that cannot be delivered are offered again.
    private func deliver(
        _ completed: CompletedWorkflowTask,
        _ namespace: String,
        of task: [UInt8],
        to call: GRPCServerCall
    ) {
        let activities = completed.eagerActivities
        if activities.isEmpty { ended(task, isDelivered: false) }
        if activities.isEmpty, completed.nextTask == nil, completed.resetHistoryEventID == nil {
            call.reply([])
            return
        }
        var response = RespondWorkflowTaskCompletedResponse()
        response.resetHistoryEventID = completed.resetHistoryEventID ?? 0
        response.activityTasks = activities.map { PollActivityTaskQueueResponse($0, namespace: namespace) }
        var head = response.serializedBytes()
        var parts: [[UInt8]] = []
        if let next = completed.nextTask {
            let task = EncodedWorkflowTask(next)
            head.appendLengthDelimited(field: 1, length: task.count)
            parts = task.parts
        }
        parts.insert(head, at: 0)
        if activities.isEmpty {
            call.reply(parts)
            return
        }
        let tokens = activities.map(\.activityToken)
        call.reply(parts) { [self] isDelivered in ended(task, isDelivered: isDelivered, tokens) }
    }

    /// Returns the activities that no answer of the task has brought to its worker.
    private func ended(_ task: [UInt8], isDelivered: Bool, _ activities: [ActivityTaskToken] = []) {
        completions.end(task, isDelivered: isDelivered, activities).forEach(history.returnActivity)
    }

    private func fail(_ call: GRPCServerCall, _ request: RespondWorkflowTaskFailedRequest) throws(RequestError) {
        let (token, _) = try workflowTaskToken(request.taskToken, in: request.namespace)
        try check(identity: request.identity)
        var failure = request.failure
        if let given = failure, isTooLarge(given.bytes.count, "failure", call) { failure = given.tooLarge }
        history.failWorkflowTask(
            token,
            cause: request.cause,
            failure: failure,
            identity: request.identity,
            reply: emptyReply(to: call)
        )
    }

    /// Ends the polls of a worker that stops: the worker waits for them.
    ///
    /// Names that no poll can have are not refused, since the worker's other polls have to end all the same. A worker
    /// whose identity is long, for example, has a sticky queue whose name is too long.
    private func shutDown(_ call: GRPCServerCall, _ request: ShutdownWorkerRequest) throws(RequestError) {
        let namespace = try self.namespace(request.namespace)
        let instanceKey = usable(request.workerInstanceKey)
        // Remembered before Matching is told: a poll that Matching accepts afterwards finds its worker here.
        departed.insert(.init(namespace: namespace.number, instanceKey: instanceKey))
        if let heartbeat = request.workerHeartbeat { record(heartbeat, in: namespace.number, at: clock()) }
        if !instanceKey.isEmpty { workers.withLock { $0.remove(instanceKey, in: namespace.number) } }
        matching.workerShutDown(
            DepartingWorker(
                namespace: namespace.number,
                stickyQueue: usable(request.stickyTaskQueue),
                identity: request.identity,
                instanceKey: instanceKey
            )
        )
        call.reply([])
    }

    /// The name, or none where a poll with this name would be refused.
    private func usable(_ name: String) -> String {
        do throws(RequestError) {
            try checkIdentifier(name, "Name", missing: nil, limits)
            return name
        } catch {
            return ""
        }
    }
}
