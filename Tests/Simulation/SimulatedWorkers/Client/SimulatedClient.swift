internal import SagamoreEngine
internal import SagamoreServices
public import SagamoreSimulatedTime

/// A client: it starts sagas and sends them all kinds of requests, until each has ended. Requests whose outcome is
/// unknown are sent again.
///
/// Unchecked: the whole world runs in one thread.
public final class SimulatedClient: @unchecked Sendable {
    /// The process that the world kills and pauses.
    public let process: SimulatedProcess
    /// What it does. The world may change this at any time; it counts for later sagas.
    public var plan: ClientPlan
    /// What it did, in all its lives.
    public internal(set) var counts = ClientCounts()
    /// The sagas that it has begun and that have not ended.
    public internal(set) var openSagas = 0
    /// The number of sagas that it has begun.
    public private(set) var begunSagas = 0
    let network: Network
    let ledgers: Ledgers
    let caller: Caller
    /// Whether its process runs.
    public private(set) var isRunning = false
    /// What has to be done, in order. It outlives the process, as in a client with a database of its own.
    private var errands: [Errand] = []
    private var nextErrand: UInt64 = 0

    var scheduler: Scheduler { network.scheduler }

    /// A request that is sent until its outcome is known.
    private struct Errand {
        let id: UInt64
        let send: () -> Void
    }

    /// A client that does not run yet.
    public init(_ plan: ClientPlan, _ network: Network, ledgers: Ledgers) {
        self.plan = plan
        self.network = network
        self.ledgers = ledgers
        process = SimulatedProcess(plan.name)
        caller = Caller(network, process)
    }

    /// Whether every saga was begun and has ended, and no request is left.
    public var isDone: Bool { begunSagas >= plan.sagas && openSagas == 0 && errands.isEmpty }

    /// Starts, or starts again after ``kill()``: then all requests that were under way are sent again.
    public func start() {
        guard !isRunning else { return }
        isRunning = true
        for errand in errands { errand.send() }
        begin()
    }

    /// Ends its process at once.
    public func kill() {
        counts.kills += 1
        isRunning = false
        process.kill()
        caller.reset()
    }

    /// Begins further sagas, as many as may be open.
    func begin() {
        while isRunning, openSagas < plan.sagasAtOnce, begunSagas < plan.sagas {
            begunSagas += 1
            openSagas += 1
            let script = WorkflowScript.random(using: &scheduler.random, mix: plan.mix)
            begin(script, number: begunSagas)
        }
    }

    /// Does something after a while. It is not forgotten when the process dies meanwhile.
    func later(_ label: StaticString, after delay: Interval, _ body: @escaping () -> Void) {
        nextErrand += 1
        let id = nextErrand
        let send: () -> Void = { [self] in
            scheduler.schedule(label, of: process, after: delay) { [self] in
                finished(id)
                body()
            }
        }
        errands.append(Errand(id: id, send: send))
        send()
    }

    /// Sends a request until its outcome is known.
    ///
    /// - Parameter done: receives a success, or a refusal.
    func request<Success: Sendable>(
        _ label: StaticString,
        timeout: Interval? = nil,
        _ request: @escaping (ReachableService, Reply<Success>) -> Void,
        done: @escaping (Reply<Success>.Outcome) -> Void
    ) {
        nextErrand += 1
        let id = nextErrand
        let send: () -> Void = { [self] in attempt(label, timeout ?? plan.timeout, id, request, done) }
        errands.append(Errand(id: id, send: send))
        send()
    }

    private func attempt<Success: Sendable>(
        _ label: StaticString,
        _ timeout: Interval,
        _ id: UInt64,
        _ request: @escaping (ReachableService, Reply<Success>) -> Void,
        _ done: @escaping (Reply<Success>.Outcome) -> Void
    ) {
        caller.call(label, timeout: timeout, request) { [self] outcome in
            if case .failure(let error) = outcome, error.isPassing {
                counts.retries += 1
                let pause = Interval.milliseconds(Int64(scheduler.random.within(50...1_000)))
                scheduler.schedule("request again", of: process, after: pause) { [self] in
                    attempt(label, timeout, id, request, done)
                }
                return
            }
            finished(id)
            done(outcome)
        }
    }

    private func finished(_ id: UInt64) {
        if let index = errands.firstIndex(where: { $0.id == id }) { errands.remove(at: index) }
    }
}
