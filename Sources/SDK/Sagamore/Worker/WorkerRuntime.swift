internal import Glibc
internal import SagamoreAPI
internal import SagamoreGRPC
internal import SagamoreLogging
internal import SagamoreProtobuf
internal import SagamoreThreads

/// A running worker: its pollers, slots and threads, and their shutdown.
final class WorkerRuntime: Sendable {
    private struct State {
        var pollers: [Poller] = []
        var running = 0
        var isStopping = false
        var failure: WorkerError?
        var hasProblem = false
        var isOver = false
        /// The timer until the next stage of the shutdown.
        var pause: Pause?
        var onEnd: CheckedContinuation<Void, Never>?
    }

    private let options: WorkerOptions
    private let taskQueue: String
    private let namespace: String
    private let identity: String
    private let service: ServiceConnection
    private let reply: WorkflowReply
    private let threads: WorkflowThreads
    private let workflowSlots: TaskSlots
    private let activitySlots: TaskSlots
    private let workflows: WorkflowTasks?
    private let activities: ActivityTasks
    private let hasActivities: Bool
    private let state = Locked(State())
    private let log = Logger(label: "sagamore.worker")
    private let changed: Changed

    /// Connects the slots with the runtime, which is created after them.
    private final class Changed: Sendable {
        private struct Listener { weak var runtime: WorkerRuntime? }
        private let listener = Locked(Listener())
        func listen(_ runtime: WorkerRuntime) { listener.withLock { $0.runtime = runtime } }
        func call() { listener.withLock { $0.runtime }?.endIfPossible() }
    }

    init(_ client: Client, taskQueue: String, registry: Registry, options: WorkerOptions) {
        self.options = options
        self.taskQueue = taskQueue
        namespace = client.options.namespace
        identity = client.options.identity
        service = client.service
        let changed = Changed()
        self.changed = changed
        let unique = Client.makeRequestID().replacing("-", with: "")
        reply = WorkflowReply(
            namespace: namespace,
            identity: identity,
            taskQueue: taskQueue,
            stickyQueue: options.pollersThatFit.sticky > 0 ? "\(identity)-\(unique)" : nil,
            stickyTimeout: options.stickyTimeout
        )
        workflowSlots = TaskSlots(options.maximumConcurrentWorkflowTasks) { changed.call() }
        activitySlots = TaskSlots(options.maximumConcurrentActivities) { changed.call() }
        threads = WorkflowThreads(count: options.workflowThreads ?? max(2, sysconf(Int32(_SC_NPROCESSORS_ONLN))))
        activities = ActivityTasks(
            registry: registry,
            namespace: namespace,
            identity: identity,
            taskQueue: taskQueue,
            service: service,
            slots: activitySlots
        )
        hasActivities = !registry.activities.isEmpty
        workflows =
            registry.workflows.isEmpty
            ? nil
            : WorkflowTasks(
                registry: registry,
                reply: reply,
                service: service,
                threads: threads,
                slots: workflowSlots,
                activities: activities,
                maximumCachedRuns: options.maximumCachedRuns
            )
    }

    // MARK: Life cycle

    /// Runs until stopped. Throws the failure that stopped the worker, if there was one.
    func run() async throws {
        changed.listen(self)
        let pollers = makePollers()
        let isStopping = state.withLock { state in
            state.pollers = pollers
            state.running = pollers.count
            return state.isStopping
        }
        log.info(
            "worker started",
            metadata: ["task_queue": "\(taskQueue)", "namespace": "\(namespace)", "identity": "\(identity)"]
        )
        for poller in pollers { poller.start() }
        if isStopping { for poller in pollers { poller.stop() } }
        await withCheckedContinuation { continuation in
            let isOver = state.withLock { state in
                state.onEnd = continuation
                return state.isOver
            }
            if isOver { resume() } else { endIfPossible() }
        }
        workflows?.evictAll()
        threads.stop()
        activities.stop()
        log.info("worker stopped", metadata: ["task_queue": "\(taskQueue)"])
        if let failure = state.withLock({ $0.failure }) { throw failure }
    }

    /// Stops polling. Running tasks finish, or are cancelled after the grace period.
    func stop() {
        let pollers = state.withLock { state -> [Poller]? in
            if state.isStopping { return nil }
            state.isStopping = true
            return state.pollers
        }
        guard let pollers else { return }
        log.info("worker stopping", metadata: ["task_queue": "\(taskQueue)"])
        for poller in pollers { poller.stop() }
        workflowSlots.close()
        activitySlots.close()
        if let stickyQueue = reply.stickyQueue, workflows != nil { release(stickyQueue) }
        wait(options.gracefulShutdownPeriod) { runtime in
            runtime.activities.cancelAll()
            // Activities that ignore cancellation are abandoned; the server retries them on another worker.
            runtime.wait(.seconds(5)) { $0.end() }
        }
        endIfPossible()
    }

    /// Calls `next` after `length`, unless the worker has ended by then.
    private func wait(_ length: Duration, _ next: @escaping @Sendable (WorkerRuntime) -> Void) {
        let pause = Pause { [weak self] in self.map(next) }
        let isOver = state.withLock { state in
            state.pause = pause
            return state.isOver
        }
        if !isOver { pause.begin(length) }
    }

    /// Tells the server that any worker may take the tasks of this worker's sticky queue.
    private func release(_ stickyQueue: String) {
        var request = ShutdownWorkerRequest()
        request.namespace = namespace
        request.identity = identity
        request.stickyTaskQueue = stickyQueue
        request.reason = "the worker is stopping"
        service.call(.shutdownWorker, request.serializedBytes(), deadline: .seconds(2)) { _ in }
    }

    private func endIfPossible() {
        let mayEnd = state.withLock { $0.isStopping && $0.running == 0 }
        if mayEnd, workflowSlots.areAllFree, activitySlots.areAllFree { end() }
    }

    private func end() {
        let pause = state.withLock { state in
            state.isOver = true
            return state.pause
        }
        pause?.cancel()
        resume()
    }

    private func resume() {
        let continuation = state.withLock { state in
            defer { state.onEnd = nil }
            return state.onEnd
        }
        continuation?.resume()
    }

    // MARK: Pollers

    private func makePollers() -> [Poller] {
        var pollers: [Poller] = []
        if let workflows {
            let events = events { workflows.received($0) }
            let sticky = reply.stickyQueue.map { TaskQueue(name: $0, kind: .sticky, normalName: taskQueue) }
            let normal = workflowRequest(TaskQueue(name: taskQueue))
            var forNew = events
            forNew.holdsBack = { workflows.isCrowded }
            for _ in 0..<options.pollersThatFit.normal {
                pollers.append(poller(.pollWorkflowTaskQueue, normal, workflowSlots, forNew))
            }
            if let sticky {
                let request = workflowRequest(sticky)
                for _ in 0..<options.pollersThatFit.sticky {
                    pollers.append(poller(.pollWorkflowTaskQueue, request, workflowSlots, events))
                }
            }
        }
        if hasActivities {
            let events = events { [activities] in activities.received($0) }
            var request = PollActivityTaskQueueRequest()
            request.namespace = namespace
            request.identity = identity
            request.taskQueue = TaskQueue(name: taskQueue)
            let bytes = request.serializedBytes()
            for _ in 0..<options.activityPollers {
                pollers.append(poller(.pollActivityTaskQueue, bytes, activitySlots, events))
            }
        }
        return pollers
    }

    private func workflowRequest(_ queue: TaskQueue) -> [UInt8] {
        var request = PollWorkflowTaskQueueRequest()
        request.namespace = namespace
        request.identity = identity
        request.taskQueue = queue
        return request.serializedBytes()
    }

    private func poller(
        _ method: WorkflowServiceMethod,
        _ request: [UInt8],
        _ slots: TaskSlots,
        _ events: Poller.Events
    ) -> Poller {
        Poller(method, request, slots: slots, service: service, events: events)
    }

    private func events(_ onTask: @escaping @Sendable ([UInt8]) -> Void) -> Poller.Events {
        Poller.Events(
            task: onTask,
            problem: { [weak self] in self?.pollStatusChanged($0) },
            ended: { [weak self] in
                self?.state.withLock { $0.running -= 1 }
                self?.endIfPossible()
            }
        )
    }

    private func pollStatusChanged(_ status: GRPCStatus?) {
        guard let status else {
            let hadProblem = state.withLock { state in
                defer { state.hasProblem = false }
                return state.hasProblem
            }
            if hadProblem { log.info("the server is reachable again") }
            return
        }
        if let failure = Self.failure(status) {
            state.withLock { if $0.failure == nil { $0.failure = failure } }
            return stop()
        }
        let isNew = state.withLock { state in
            defer { state.hasProblem = true }
            return !state.hasProblem && !state.isStopping
        }
        if isNew { log.warning("polling failed, retrying", metadata: ["error": "\(status)"]) }
    }

    /// The error for a status that makes retrying pointless.
    static func failure(_ status: GRPCStatus) -> WorkerError? {
        switch status.code {
        case .notFound: WorkerError(.unknownNamespace, status.message, cause: status)
        case .invalidArgument, .permissionDenied, .unauthenticated, .unimplemented:
            WorkerError(.refused, "the server refuses this worker: \(status.message)", cause: status)
        default: nil
        }
    }
}
