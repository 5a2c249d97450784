import SagamoreEngine
import SagamoreServices
import SagamoreSimulatedDatabase
import SagamoreSimulatedTime
import SagamoreSimulatedWorkers
import SagamoreSimulation

/// A world of one database, servers, workers and a client.
final class SmallWorld {
    let scheduler: Scheduler
    let database: SimulatedDatabase
    let server: SimulatedServer
    let address = ServiceAddress()
    let network: Network
    let workers: [SimulatedWorker]
    let client: SimulatedClient
    let blocking = BlockingCalls()
    private let findings = Findings()

    /// Unchecked: the whole world runs in one thread.
    private final class Findings: @unchecked Sendable {
        var texts: [String] = []
    }

    /// What must not have happened.
    var violations: [String] { findings.texts }

    init(seed: UInt64, sagas: Int = 40, shards: Int = 2, logLimit: Int = 0, plan: (inout ClientPlan) -> Void = { _ in })
    {
        let scheduler = Scheduler(seed: seed, logLimit: logLimit)
        let database = SimulatedDatabase(shardCount: shards) { scheduler.now }
        let ledgers = Ledgers { [findings] text in findings.texts.append(text) }
        network = Network(scheduler, address)
        self.scheduler = scheduler
        self.database = database
        server = SimulatedServer(
            scheduler,
            name: "server",
            stores: ServerStores(
                makeLaneStore: { _ in try database.laneStore(of: "server") },
                makeLoaderStore: { try database.loaderStore(of: "server") },
                lockedUntil: { database.lockedUntil($0) }
            ),
            encoder: PlainEncoder(),
            blocking: blocking
        )
        workers = (1...2).map { [network] in
            SimulatedWorker(WorkerConfiguration("worker-\($0)"), network, ledgers: ledgers)
        }
        var clientPlan = ClientPlan("client")
        clientPlan.sagas = sagas
        plan(&clientPlan)
        client = SimulatedClient(clientPlan, network, ledgers: ledgers)
        server.onExit = { [unowned server] _ in server.start() }
        server.onChange = { [unowned self] in address.service = server.reachable }
    }

    func start() {
        server.start()
        for worker in workers { worker.start() }
        client.start()
    }

    /// Runs until the client is done. Returns false if it is not after so many steps.
    @discardableResult
    func run(atMost limit: Int = 2_000_000, _ afterStep: () -> Void = {}) -> Bool {
        for _ in 0..<limit {
            if client.isDone { return true }
            guard scheduler.step() else { return false }
            afterStep()
        }
        return false
    }

    /// A number that follows from all that happened.
    var digest: UInt64 {
        scheduler.log.digest &+ UInt64(database.transactionCount) &* 0x9E37_79B9_7F4A_7C15
    }
}

/// Status events as plain text.
private struct PlainEncoder: StatusEventEncoder {
    func encode(_ event: StatusEvent) -> OutboxRecord {
        OutboxRecord(
            topic: event.origin.eventsTopic,
            key: Array(event.workflowID.utf8),
            value: Array("\(event.status.rawValue) \(event.origin.commandID) \(event.sequence)".utf8),
            headers: event.origin.headers.map(OutboxRecord.Header.init)
        )
    }
}
