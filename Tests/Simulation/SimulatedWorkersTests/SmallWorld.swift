import SagamoreEngine
import SagamoreServices
import SagamoreSimulatedTime
import SagamoreSimulatedWorkers

/// A service, a network, workers and a client.
final class SmallWorld {
    let scheduler: Scheduler
    let service: EngineService
    let network: Network
    let ledgers: Ledgers
    let workers: [SimulatedWorker]
    let client: SimulatedClient
    private let violations: Violations

    final class Violations {
        var texts: [String] = []
    }

    init(
        seed: UInt64,
        _ plan: ClientPlan,
        workers count: Int = 1,
        faults: WorkerFaults = WorkerFaults(),
        network networkFaults: NetworkFaults = NetworkFaults(),
        logLimit: Int = 0
    ) {
        let violations = Violations()
        self.violations = violations
        scheduler = Scheduler(seed: seed, logLimit: logLimit)
        service = EngineService(scheduler, seed: seed &+ 1)
        ledgers = Ledgers { violations.texts.append($0) }
        // This service writes no heartbeats, and loses all of them with its process.
        ledgers.activities.heartbeatGrace = .seconds(1_000_000)
        let service = service
        let address = ServiceAddress(
            ReachableService(history: service, matching: service, clock: { [service] in service.now })
        )
        network = Network(scheduler, address, faults: networkFaults)
        let (network, ledgers) = (network, ledgers)
        workers = (0..<count).map {
            SimulatedWorker(WorkerConfiguration("worker-\($0)"), network, ledgers: ledgers, faults: faults)
        }
        client = SimulatedClient(plan, network, ledgers: ledgers)
    }

    /// Runs until the client has seen the end of each saga.
    ///
    /// - Parameter chaos: is called before each step.
    func run(limit: Interval = .seconds(3_600), _ chaos: () -> Void = {}) {
        for worker in workers { worker.start() }
        client.start()
        while !client.isDone, scheduler.now.nanoseconds < limit.nanoseconds {
            chaos()
            guard scheduler.step() else { break }
        }
    }

    /// Kills the service, and starts it again.
    func restartService() {
        service.restart()
        ledgers.activities.memoryWasLost(at: scheduler.now)
    }

    /// The outcome of each run, in the order of their starts. Checks each of them.
    func outcomes() -> [SagaOutcome?] {
        service.order.map { id in
            let check = ReplayCheck(
                id,
                activities: ledgers.activities,
                clients: ledgers.clients,
                histories: ledgers.histories
            )
            return check.check(service.runs[id]!.history) { violations.texts.append($0) }
        }
    }

    func script(of run: RunID) -> WorkflowScript {
        guard let history = service.runs[run]?.history, let script = WorkflowScript(history: history) else {
            preconditionFailure("run \(run) has no script")
        }
        return script
    }

    /// What must not be.
    var allViolations: [String] { violations.texts + service.refusedCommands }
}
