internal import SagamoreAPI
internal import SagamoreGRPC
internal import SagamoreLogging
internal import SagamoreProtobuf
internal import SagamoreThreads

/// Processes workflow tasks from poll to response.
///
/// Workflow code runs on its own threads under a watchdog; responses of the server trigger everything else. A run has
/// one task at a time. Each task holds a slot until it is answered.
final class WorkflowTasks: Sendable {
    private typealias Cache = RunCache<WorkflowRun, WorkflowTask>

    private let registry: Registry
    private let reply: WorkflowReply
    private let service: ServiceConnection
    private let threads: WorkflowThreads
    private let slots: TaskSlots
    private let activities: ActivityTasks
    private let cache: Locked<Cache>
    private let log = Logger(label: "sagamore.worker")

    /// How long to retry a response: the default timeout of a workflow task. After it the server retries the task.
    private static let answerLimit = Duration.seconds(10)

    init(
        registry: Registry,
        reply: WorkflowReply,
        service: ServiceConnection,
        threads: WorkflowThreads,
        slots: TaskSlots,
        activities: ActivityTasks,
        maximumCachedRuns: Int
    ) {
        self.registry = registry
        self.reply = reply
        self.service = service
        self.threads = threads
        self.slots = slots
        self.activities = activities
        cache = Locked(Cache(limit: maximumCachedRuns))
    }

    /// Whether new runs should wait, see ``RunCache/isCrowded(at:)``.
    var isCrowded: Bool { reply.stickyQueue != nil && cache.withLock { $0.isCrowded(at: .now) } }

    /// Handles an encoded task from a poll.
    func received(_ bytes: [UInt8]) {
        submit { [self] in
            do {
                return begin(try PollWorkflowTaskQueueResponse(serializedBytes: bytes), $0)
            } catch {
                log.error("failed to decode a workflow task", metadata: ["error": "\(error)"])
                return { self.slots.release() }
            }
        }
    }

    /// Evicts all idle runs.
    func evictAll() {
        let runs = cache.withLock { $0.takeAll() }
        for run in runs { evict(run) }
    }

    // MARK: On a workflow thread

    /// The task of a job, for the watchdog.
    private final class Place: Sendable {
        let task = Locked<WorkflowTask?>(nil)
    }

    private func submit(_ work: @escaping @Sendable (Place) -> (@Sendable () -> Void)) {
        let place = Place()
        threads.submit(
            WorkflowThreads.Job(
                work: { work(place) },
                onOverrun: { [self] in
                    if let task = place.task.withLock({ $0 }) { overrun(task) }
                }
            )
        )
    }

    private func begin(_ response: PollWorkflowTaskQueueResponse, _ place: Place) -> @Sendable () -> Void {
        guard !response.taskToken.isEmpty else { return { self.slots.release() } }
        return begin(
            WorkflowTask(response, taskQueue: reply.taskQueue, namespace: reply.namespace),
            place
        )
    }

    private func begin(_ task: WorkflowTask, _ place: Place) -> @Sendable () -> Void {
        place.task.withLock { $0 = task }
        let turn = cache.withLock { $0.begin(task.runID, task) }
        switch turn {
        case .waits: return {}
        case .abandoned: return { self.fail(task, Self.lost, isOver: true) }
        case .go(let run):
            if let run {
                if task.continues(run) { return execute(task, run, place) }
                run.evict()
            }
            if task.isWhole { return execute(task, nil, place) }
            return { self.fetch(task) }
        }
    }

    private func execute(_ task: WorkflowTask, _ run: WorkflowRun?, _ place: Place) -> @Sendable () -> Void {
        place.task.withLock { $0 = task }
        guard let run = run ?? make(task) else {
            let error = Registry.unknown("workflow", task.info.type, known: registry.workflows.keys)
            return { self.fail(task, .init(cause: .workflowWorkerUnhandledFailure, error: error)) }
        }
        switch run.handle(task.events, updates: task.updates) {
        case .failed(let failure):
            run.evict()
            return { self.fail(task, failure) }
        case .commands(let commands):
            if let query = task.response.query {
                let answer = run.answer(query)
                return { self.answer(task, run, answer) }
            }
            if let error = WorkflowReply.tooLarge(commands) {
                run.evict()
                return { self.fail(task, .init(cause: .payloadsTooLarge, error: error)) }
            }
            let answers = task.response.queries.mapValues { WorkflowReply.result(run.answer($0)) }
            let messages = run.core.takeMessages()
            return { self.complete(task, run, commands, messages, answers) }
        }
    }

    private func make(_ task: WorkflowTask) -> WorkflowRun? {
        registry.workflows[task.info.type].map { WorkflowRun(task.info, $0()) }
    }

    private func evict(_ run: WorkflowRun) {
        threads.submit(
            WorkflowThreads.Job(
                work: {
                    run.evict()
                    return {}
                },
                onOverrun: { [log] in
                    log.error(
                        "evicted workflow code does not end; its thread is lost",
                        metadata: ["workflow_id": "\(run.core.info.workflowID)", "run_id": "\(run.core.info.runID)"]
                    )
                }
            )
        )
    }

    // MARK: Responses

    private func fetch(_ task: WorkflowTask) {
        HistoryFetch.whole(
            of: WorkflowExecution(workflowID: task.info.workflowID, runID: task.runID),
            namespace: reply.namespace,
            service: service
        ) { [self] result in
            switch result {
            case .success(let history):
                let whole = task.completed(by: history)
                submit { self.execute(whole, nil, $0) }
            case .failure(let error):
                log.warning("failed to fetch the workflow history", metadata: metadata(task, error))
                finish(task, keeping: nil)
            }
        }
    }

    private func complete(
        _ task: WorkflowTask,
        _ run: WorkflowRun,
        _ commands: [Command],
        _ messages: [ProtocolMessage],
        _ answers: ProtobufMap<WorkflowQueryResult>
    ) {
        var commands = commands
        let eager = activities.requestEagerly(&commands)
        let request = reply.completed(task, commands, messages, answers).serializedBytes()
        guard request.count <= WorkflowReply.mostRequestBytes else {
            activities.received(eagerly: [], reserved: eager)
            evict(run)
            let error = WorkflowReply.tooLarge(request.count, commands.count)
            return fail(task, .init(cause: .grpcMessageTooLarge, error: error))
        }
        service.deliver(.respondWorkflowTaskCompleted, request, within: Self.answerLimit) { [self] result in
            do {
                let response = try RespondWorkflowTaskCompletedResponse(serializedBytes: try result.get())
                activities.received(eagerly: response.activityTasks, reserved: eager)
                if response.resetHistoryEventID > 0 { run.resetHistory(to: response.resetHistoryEventID) }
                var next = response.workflowTask
                if next?.taskToken.isEmpty == true { next = nil }
                // The next task keeps the slot.
                finish(task, keeping: kept(run), evicting: run, givesSlotBack: next == nil)
                if let next { submit { self.begin(next, $0) } }
            } catch {
                activities.received(eagerly: [], reserved: eager)
                log.warning("failed to complete a workflow task", metadata: metadata(task, error))
                finish(task, keeping: nil, evicting: run)
            }
        }
    }

    private func answer(_ task: WorkflowTask, _ run: WorkflowRun, _ answer: Result<RawMessage<Payloads>, any Error>) {
        let request = reply.answered(task, answer)
        service.deliver(.respondQueryTaskCompleted, request.serializedBytes(), within: Self.answerLimit) {
            [self] result in
            if case .failure(let error) = result {
                log.warning("failed to answer a query", metadata: metadata(task, error))
            }
            finish(task, keeping: kept(run), evicting: run)
        }
    }

    /// - Parameter isOver: whether the cache has already ended the run's task.
    private func fail(_ task: WorkflowTask, _ failure: WorkflowRun.TaskFailure, isOver: Bool = false) {
        log.warning(
            "workflow task failed: fix the code, and the workflow continues from where it was",
            metadata: metadata(task, failure.error)
        )
        if task.isQuery {
            let request = reply.answered(task, .failure(failure.error))
            return deliverFailure(task, .respondQueryTaskCompleted, request.serializedBytes(), isOver)
        }
        // Only the first failure is reported. Later attempts run into the task's timeout, as in the other SDKs: that is
        // the pause between attempts.
        guard task.response.attempt <= 1 else { return finish(task, keeping: nil, isOver: isOver) }
        deliverFailure(task, .respondWorkflowTaskFailed, reply.failed(task, failure).serializedBytes(), isOver)
    }

    private func deliverFailure(
        _ task: WorkflowTask,
        _ method: WorkflowServiceMethod,
        _ request: [UInt8],
        _ isOver: Bool
    ) {
        service.deliver(method, request, within: Self.answerLimit) { [self] result in
            if case .failure(let error) = result {
                log.warning("failed to report the failure of a workflow task", metadata: metadata(task, error))
            }
            finish(task, keeping: nil, isOver: isOver)
        }
    }

    private static let lost = WorkflowRun.TaskFailure(
        cause: .workflowWorkerUnhandledFailure,
        error: NondeterminismError.endless
    )

    /// Handles a task that blocked its thread. Runs on the watchdog's thread.
    private func overrun(_ task: WorkflowTask) {
        log.error(
            "workflow code ran for 2 s without waiting; its thread is lost",
            metadata: ["threads_lost": "\(threads.abandoned)"]
        )
        let waiting = cache.withLock { $0.abandon(task.runID) }
        for task in [task] + waiting { fail(task, Self.lost, isOver: true) }
    }

    private func finish(
        _ task: WorkflowTask,
        keeping run: WorkflowRun?,
        evicting old: WorkflowRun? = nil,
        isOver: Bool = false,
        givesSlotBack: Bool = true
    ) {
        // Releasing the last slot may end the worker, so the run must be back in the cache before.
        defer { if givesSlotBack { slots.release() } }
        if let old, run == nil, !old.isOver { evict(old) }
        if isOver { return }
        let end = cache.withLock { $0.end(task.runID, keeping: run, at: .now) }
        for run in end.evicted { evict(run) }
        if let next = end.next { submit { self.begin(next, $0) } }
    }

    private func kept(_ run: WorkflowRun) -> WorkflowRun? {
        run.isOver || reply.stickyQueue == nil ? nil : run
    }

    private func metadata(_ task: WorkflowTask, _ error: any Error) -> Logger.Metadata {
        [
            "workflow": "\(task.info.type)", "workflow_id": "\(task.info.workflowID)", "run_id": "\(task.runID)",
            "error": "\(error)",
            "attempt": "\(task.response.attempt)",
        ]
    }
}
