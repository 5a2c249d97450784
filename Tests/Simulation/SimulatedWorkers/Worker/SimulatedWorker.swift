internal import SagamoreAPI
internal import SagamoreEngine
internal import SagamoreProtobuf
internal import SagamoreServices
public import SagamoreSimulatedTime

/// A worker: it polls for workflow tasks and activities, replays scripts, and does what activities ask for.
///
/// Unchecked: the whole world runs in one thread.
public final class SimulatedWorker: @unchecked Sendable {
    /// The process that the world kills and pauses.
    public let process: SimulatedProcess
    /// How often it misbehaves. The world may change this at any time.
    public var faults: WorkerFaults
    /// What it did, in all its lives.
    public internal(set) var counts = WorkerCounts()
    let configuration: WorkerConfiguration
    let network: Network
    let ledgers: Ledgers
    let caller: Caller
    /// A new one with each life, as in SDKs: one that was shut down stays so.
    private(set) var stickyQueue: String
    /// Whether it polls.
    public private(set) var isRunning = false

    // What is in its memory, and dies with it.
    var cache: RunCache
    var activityCount = 0
    /// Answers of earlier times, which may be sent once more.
    var oldAnswers: [() -> Void] = []
    private var connection: UInt64 = 0
    private var connectionGeneration = -1
    private var lastPoll = 0

    var scheduler: Scheduler { network.scheduler }
    var identity: String { configuration.name }

    /// A worker that does not run yet.
    public init(
        _ configuration: WorkerConfiguration,
        _ network: Network,
        ledgers: Ledgers,
        faults: WorkerFaults = WorkerFaults()
    ) {
        self.configuration = configuration
        self.network = network
        self.ledgers = ledgers
        self.faults = faults
        process = SimulatedProcess(configuration.name)
        caller = Caller(network, process)
        cache = RunCache(limit: configuration.mostCachedRuns)
        stickyQueue = ""
    }

    // MARK: Life

    /// Starts polling. After ``kill(isNoticed:)``, it starts as a new process with an empty memory.
    public func start() {
        guard !isRunning else { return }
        isRunning = true
        stickyQueue = configuration.name + "-sticky-" + Decimal.text(process.life)
        for _ in 0..<configuration.workflowPolls { pollWorkflow(isSticky: false) }
        if configuration.mostCachedRuns > 0 {
            for _ in 0..<configuration.stickyPolls { pollWorkflow(isSticky: true) }
        }
        for _ in 0..<configuration.activityPolls { pollActivity() }
    }

    /// Ends its process at once, and all that it holds.
    ///
    /// - Parameter isNoticed: whether the service notices the end of the connection. Otherwise its polls stay.
    public func kill(isNoticed: Bool) {
        counts.kills += 1
        let (connection, generation) = (self.connection, connectionGeneration)
        process.kill()
        forget()
        guard isNoticed, connection > 0, network.address.generation == generation else { return }
        network.notify("the connection of a worker ends", after: .milliseconds(1)) {
            $0.matching.connectionEnded(connection)
        }
    }

    /// Tells the service that it leaves, and ends. Its workflow tasks and activities are left to time out.
    public func shutDown() {
        counts.shutdowns += 1
        let worker = DepartingWorker(
            namespace: configuration.namespace,
            stickyQueue: stickyQueue,
            identity: identity,
            instanceKey: instanceKey
        )
        network.notify("a worker shuts down", after: .milliseconds(1)) { $0.matching.workerShutDown(worker) }
        kill(isNoticed: true)
    }

    private func forget() {
        isRunning = false
        caller.reset()
        cache = RunCache(limit: configuration.mostCachedRuns)
        activityCount = 0
        oldAnswers = []
        connection = 0
        connectionGeneration = -1
    }

    private var instanceKey: String { configuration.name + "/" + Decimal.text(process.life) }

    // MARK: Polls

    /// The identity of the next poll. A new server has a new connection.
    private func poller() -> PollerIdentity {
        if connectionGeneration != network.address.generation {
            connectionGeneration = network.address.generation
            connection = network.newConnection()
        }
        lastPoll += 1
        return PollerIdentity(
            identity: identity,
            requestID: identity + "/" + String(lastPoll),
            buildID: "",
            instanceKey: instanceKey,
            connectionID: connection
        )
    }

    /// Polls for workflow tasks, one after another.
    func pollWorkflow(isSticky: Bool) {
        let queue = TaskQueueKey(
            namespace: configuration.namespace,
            name: isSticky ? stickyQueue : configuration.taskQueue,
            kind: .workflow
        )
        let (poller, wait, began) = (poller(), configuration.pollTimeout, scheduler.now)
        caller.call("poll for a workflow task", timeout: wait + .seconds(10)) { service, reply in
            service.matching.pollWorkflowTask(
                queue,
                isSticky: isSticky,
                poller: poller,
                deadline: service.clock() + wait,
                reply: reply
            )
        } done: { [self] outcome in
            let next: () -> Void = { [self] in pollWorkflow(isSticky: isSticky) }
            switch outcome {
            case .success(.task(let task)): received(task, then: next)
            case .success(.query(let query)): received(query, then: next)
            case .success(.none): pollAgain(after: began, next)
            case .failure: pause("poll again", next)
            }
        }
    }

    /// Polls for activities, one after another.
    func pollActivity() {
        guard activityCount < configuration.mostActivities else {
            pause("poll again") { [self] in pollActivity() }
            return
        }
        let queue = TaskQueueKey(
            namespace: configuration.namespace,
            name: configuration.taskQueue,
            kind: .activity
        )
        let (poller, wait, began) = (poller(), configuration.pollTimeout, scheduler.now)
        caller.call(
            "poll for an activity",
            timeout: wait + .seconds(10),
            undelivered: { [self] (task: AssignedActivityTask?) in if let task { undelivered(task) } }
        ) { service, reply in
            service.matching.pollActivityTask(queue, poller: poller, deadline: service.clock() + wait, reply: reply)
        } done: { [self] outcome in
            switch outcome {
            case .success(let task?): received(task) { [self] in pollActivity() }
            case .success(nil): pollAgain(after: began) { [self] in pollActivity() }
            case .failure: pause("poll again") { [self] in pollActivity() }
            }
        }
    }

    /// Polls again after a poll without a task. One that ended early was ended by the service: then not at once.
    private func pollAgain(after began: Instant, _ poll: @escaping () -> Void) {
        if scheduler.now - began < .seconds(1) { pause("poll again", poll) } else { poll() }
    }

    /// The service could not hand an attempt over. It may notice that.
    func undelivered(_ task: AssignedActivityTask) {
        counts.undelivered += 1
        guard scheduler.random.happens(faults.returnedTasks) else { return }
        let token = task.activityToken
        network.notify("return an activity", after: .milliseconds(1)) { $0.history.returnActivity(token) }
    }

    // MARK: Answers

    /// Sends an answer until it is accepted or refused for good.
    ///
    /// - Parameter done: receives the outcome: a success, or a refusal.
    func deliver<Success: Sendable>(
        _ label: StaticString,
        undelivered: ((Success) -> Void)? = nil,
        _ request: @escaping (ReachableService, Reply<Success>) -> Void,
        done: @escaping (Reply<Success>.Outcome) -> Void
    ) {
        remember(label, request)
        repeatUntilAnswered(label, undelivered, request, done)
    }

    private func repeatUntilAnswered<Success: Sendable>(
        _ label: StaticString,
        _ undelivered: ((Success) -> Void)?,
        _ request: @escaping (ReachableService, Reply<Success>) -> Void,
        _ done: @escaping (Reply<Success>.Outcome) -> Void
    ) {
        let timeout = configuration.answerTimeout
        caller.call(label, timeout: timeout, undelivered: undelivered, request) { [self] outcome in
            if case .failure(let error) = outcome, error.isPassing {
                counts.repeatedAnswers += 1
                pause("answer again") { [self] in repeatUntilAnswered(label, undelivered, request, done) }
                return
            }
            done(outcome)
        }
    }

    /// Keeps an answer, and by chance sends one from earlier once more: with the token of that time.
    private func remember<Success: Sendable>(
        _ label: StaticString,
        _ request: @escaping (ReachableService, Reply<Success>) -> Void
    ) {
        guard faults.repeatedAnswers > 0 else { return }
        if scheduler.random.happens(faults.repeatedAnswers), let old = scheduler.random.pick(oldAnswers) {
            counts.oldAnswers += 1
            old()
        }
        let again: () -> Void = { [self] in
            caller.call(label, timeout: configuration.answerTimeout, request) { _ in }
        }
        if oldAnswers.count < 16 {
            oldAnswers.append(again)
        } else {
            oldAnswers[scheduler.random.below(16)] = again
        }
    }

    /// Goes on after a short while.
    func pause(_ label: StaticString, _ body: @escaping () -> Void) {
        let delay = Interval.milliseconds(Int64(scheduler.random.within(50...400)))
        scheduler.schedule(label, of: process, after: delay, body)
    }
}
