internal import SagamoreAPI
internal import SagamoreGRPC
internal import SagamoreLogging
internal import SagamoreProtobuf
internal import SagamoreThreads

/// Processes activity tasks from poll to response. Each holds a slot until it is answered.
final class ActivityTasks: Sendable {
    private let registry: Registry
    private let namespace: String
    private let identity: String
    private let taskQueue: String
    private let service: ServiceConnection
    private let slots: TaskSlots
    private let threads = ActivityThreads()
    private let running = Locked<[ObjectIdentifier: ActivityAttempt]>([:])
    private let log = Logger(label: "sagamore.worker")

    init(
        registry: Registry,
        namespace: String,
        identity: String,
        taskQueue: String,
        service: ServiceConnection,
        slots: TaskSlots
    ) {
        self.registry = registry
        self.namespace = namespace
        self.identity = identity
        self.taskQueue = taskQueue
        self.service = service
        self.slots = slots
    }

    // MARK: Arrival

    /// Requests eager execution for the activities that a workflow task schedules, as far as there are free slots:
    /// their tasks arrive with the response. Returns the number of reserved slots.
    func requestEagerly(_ commands: inout [Command]) -> Int {
        var places: [(Int, ScheduleActivityTaskCommandAttributes)] = []
        for (index, command) in commands.enumerated() {
            guard case .scheduleActivityTaskCommandAttributes(let attributes) = command.attributes,
                attributes.taskQueue?.name == taskQueue,
                registry.activities[attributes.activityType?.name ?? ""] != nil
            else { continue }
            places.append((index, attributes))
        }
        guard !places.isEmpty else { return 0 }
        let reserved = slots.takeFree(atMost: places.count)
        for (index, attributes) in places.prefix(reserved) {
            var attributes = attributes
            attributes.requestEagerExecution = true
            commands[index].attributes = .scheduleActivityTaskCommandAttributes(attributes)
        }
        return reserved
    }

    /// Starts the tasks that arrived with a workflow task's response, and releases unused reserved slots.
    func received(eagerly tasks: [PollActivityTaskQueueResponse], reserved: Int) {
        for task in tasks { begin(task) }
        if reserved > tasks.count { slots.release(reserved - tasks.count) }
    }

    /// Handles an encoded task from a poll.
    func received(_ bytes: [UInt8]) {
        do {
            begin(try PollActivityTaskQueueResponse(serializedBytes: bytes))
        } catch {
            log.error("failed to decode an activity task", metadata: ["error": "\(error)"])
            slots.release()
        }
    }

    /// Cancels all running attempts.
    func cancelAll() {
        for attempt in running.withLock({ Array($0.values) }) { attempt.cancel(.workerStops) }
    }

    /// Ends the threads when their activities have ended.
    func stop() { threads.stop() }

    // MARK: One attempt

    private func begin(_ task: PollActivityTaskQueueResponse) {
        guard !task.taskToken.isEmpty else { return slots.release() }
        let info = ActivityInfo(task, taskQueue: taskQueue, namespace: namespace)
        guard let code = registry.activities[info.type] else {
            let error = Registry.unknown("activity", info.type, known: registry.activities.keys)
            log.warning("received a task of an unregistered activity", metadata: metadata(info, error))
            return answer(task, info, .failed(error), lastDetails: nil)
        }
        let attempt = ActivityAttempt()
        var request = RecordActivityTaskHeartbeatRequest()
        request.namespace = info.namespace
        request.identity = identity
        request.taskToken = task.taskToken
        let heartbeats = Heartbeats(request, timeout: info.heartbeatTimeout, service: service) { news in
            switch news {
            case .cancelRequested: attempt.cancel(.requested)
            case .gone: attempt.cancel(.gone)
            }
        }
        let context = ActivityContext(
            info: info,
            heartbeatDetails: EncodedValues(task.heartbeatDetails),
            beat: { heartbeats.beat($0) }
        )
        running.withLock { $0[ObjectIdentifier(attempt)] = attempt }
        let end: @Sendable (ActivityAttempt.Outcome) -> Void = { [self] outcome in
            heartbeats.end()
            _ = running.withLock { $0.removeValue(forKey: ObjectIdentifier(attempt)) }
            ended(task, info, outcome, heartbeats.lastDetails)
        }
        do throws(ThreadError) {
            let task = try threads.run {
                let result: Result<RawMessage<Payloads>, any Error>
                do {
                    result = .success(try await code(context, task.input))
                } catch {
                    result = .failure(error)
                }
                end(attempt.outcome(result))
            }
            attempt.started(task)
        } catch {
            end(.failed(ApplicationError(error.description, type: "NoThread")))
        }
    }

    private func ended(
        _ task: PollActivityTaskQueueResponse,
        _ info: ActivityInfo,
        _ outcome: ActivityAttempt.Outcome,
        _ lastDetails: RawMessage<Payloads>?
    ) {
        switch outcome {
        case .completed(let result) where result.bytes.count > WorkflowReply.mostPayloadBytes:
            let error = WorkflowReply.tooLarge("the result of activity '\(info.type)'", result.bytes.count)
            ended(task, info, .failed(error), lastDetails)
        case .failed(let error):
            let isBenign = (error as? ApplicationError)?.isBenign == true
            log.log(level: isBenign ? .debug : .warning, "activity failed", metadata: metadata(info, error))
            answer(task, info, outcome, lastDetails: lastDetails)
        case .completed, .cancelled, .gone:
            answer(task, info, outcome, lastDetails: lastDetails)
        }
    }

    private func answer(
        _ task: PollActivityTaskQueueResponse,
        _ info: ActivityInfo,
        _ outcome: ActivityAttempt.Outcome,
        lastDetails: RawMessage<Payloads>?
    ) {
        let method: WorkflowServiceMethod
        let bytes: [UInt8]
        switch outcome {
        case .completed(let result):
            var request = RespondActivityTaskCompletedRequest()
            request.namespace = info.namespace
            request.identity = identity
            request.taskToken = task.taskToken
            request.result = result
            (method, bytes) = (.respondActivityTaskCompleted, request.serializedBytes())
        case .failed(let error):
            var request = RespondActivityTaskFailedRequest()
            request.namespace = info.namespace
            request.identity = identity
            request.taskToken = task.taskToken
            request.failure = RawMessage(FailureCoding.failure(error))
            request.lastHeartbeatDetails = lastDetails
            (method, bytes) = (.respondActivityTaskFailed, request.serializedBytes())
        case .cancelled(let details):
            var request = RespondActivityTaskCanceledRequest()
            request.namespace = info.namespace
            request.identity = identity
            request.taskToken = task.taskToken
            request.details = details
            (method, bytes) = (.respondActivityTaskCanceled, request.serializedBytes())
        case .gone:
            return slots.release()
        }
        // The server times the attempt out after its limit, and then ignores any response.
        let limit = info.startToCloseTimeout ?? info.scheduleToCloseTimeout ?? .seconds(60)
        service.deliver(method, bytes, within: min(limit, .seconds(600))) { [self] result in
            if case .failure(let error) = result {
                log.warning("failed to report an activity's outcome", metadata: metadata(info, error))
            }
            slots.release()
        }
    }

    private func metadata(_ info: ActivityInfo, _ error: any Error) -> Logger.Metadata {
        [
            "activity": "\(info.type)", "attempt": "\(info.attempt)", "workflow_id": "\(info.workflowID)",
            "run_id": "\(info.runID)", "error": "\(error)",
        ]
    }
}
