public import SagamoreEngine
internal import SagamoreHistoryService
internal import SagamorePersistence
internal import SagamorePostgresClient
internal import SagamoreServices
internal import SagamoreSimulatedDatabase
internal import SagamoreSimulatedTime
internal import SagamoreSimulatedWorkers

/// A whole service with its database, workers and clients, in one thread: the code of production in a world made of
/// values. Everything that happens follows from the settings.
///
/// Unchecked: the whole world runs in one thread.
public final class World: @unchecked Sendable {
    /// What became of a world.
    public enum Outcome: Sendable, Equatable {
        /// All sagas have ended, and every check passed.
        case passed
        /// A check failed.
        case failed(Violation)
    }

    let settings: WorldSettings
    /// The faults that this world suffers.
    let faults: FaultRates
    let scheduler: Scheduler
    let database: SimulatedDatabase
    let network: Network
    let address: ServiceAddress
    let ledgers: Ledgers
    var servers: [SimulatedServer] = []
    var workers: [SimulatedWorker] = []
    var clients: [SimulatedClient] = []
    let blocking = BlockingCalls()
    /// Kafka; nil in a world without commands.
    var kafka: WorldKafka?
    var databaseFaults: DatabaseFaults
    var commitCheck = CommitCheck()
    var worldCheck = WorldCheck()
    /// The epoch of each shard's newest commit.
    var epochs: [Int32: Int64] = [:]
    /// The database went back to an earlier state: what anyone was told before may be gone.
    var isHistoryRewritten = false
    var rewrittenAt = Instant.distantPast
    /// The bytes of history that all loaded runs of a shard may keep together.
    var tailBytes = Int.max
    /// No new faults happen.
    var isCalm = false
    /// What happened so far.
    public internal(set) var exercise = Exercise()
    /// The chance of faults, apart from that of the order of steps.
    var chance: SeededRandom
    /// What happens from outside: faults and checks.
    let fate = SimulatedProcess("fate")
    private(set) var violation: Violation?
    var begunByCommands = 0

    /// Builds a world. Nothing happens yet.
    public init(_ settings: WorldSettings) {
        self.settings = settings
        scheduler = Scheduler(seed: settings.seed, logLimit: settings.logLimit)
        var chance = SeededRandom(seed: settings.seed ^ 0x5341_4741_4D4F_5245)
        var faults = settings.drawsFaults ? settings.faults.some(using: &chance) : settings.faults
        for kind in settings.plantedBug?.mistreatedFaults ?? [] {
            faults[kind] = max(faults[kind], 10 * settings.faults[kind])
        }
        for kind in settings.excludedFaults { faults[kind] = 0 }
        if Self.commandShare(settings) == 0 { for kind in FaultKind.ofBroker { faults[kind] = 0 } }
        self.faults = faults
        databaseFaults = DatabaseFaults(faults, chance.fork())
        let findings = Findings()
        let scheduler = scheduler
        database = SimulatedDatabase(shardCount: chance.within(1...3)) {
            SimulatedServer.epoch + (scheduler.now - Instant(nanoseconds: 0))
        }
        address = ServiceAddress()
        network = Network(scheduler, address)
        ledgers = Ledgers { [findings] in findings.report(Violation("acknowledged", $0)) }
        self.chance = chance
        findings.world = self
        prepare()
    }

    /// Brings what ledgers find to the world.
    private final class Findings {
        weak var world: World?
        func report(_ violation: Violation) { world?.report(violation) }
    }

    /// A check failed. The first one counts.
    func report(_ violation: Violation) {
        // What clients and workers know is worthless once the database went back.
        if isHistoryRewritten, violation.check == "acknowledged" { return }
        scheduler.note("\(violation.check): \(violation.finding)")
        if self.violation == nil { self.violation = violation }
    }

    // MARK: Running

    /// Lets everything happen. Called once.
    public func run() -> Outcome {
        for server in servers.prefix(1) { server.start() }
        for worker in workers { worker.start() }
        for client in clients { client.start() }
        kafka?.shop.start()
        scheduleFaults()
        scheduleLooks()
        let faultsEnd = scheduler.now + settings.faultyTime
        runSteps { [self] in hasBegunAll || scheduler.now >= faultsEnd }
        endFaults()
        let deadline = scheduler.now + settings.restTime
        runSteps { [self] in isAtRest || scheduler.now >= deadline }
        if violation == nil, !isAtRest { report(Violation("rest", unrest)) }
        if violation == nil { checkRest() }
        summarize()
        discard()
        return violation.map { .failed($0) } ?? .passed
    }

    /// Lets go of what holds the world: thousands are run in one process.
    private func discard() {
        for server in servers {
            server.onChange = {}
            server.kill()
        }
        for worker in workers { worker.kill(isNoticed: true) }
        for client in clients { client.kill() }
        discardKafka()
        scheduler.discardSteps()
    }

    private func runSteps(until isOver: () -> Bool) {
        var steps = 0
        while violation == nil, scheduler.step() {
            steps += 1
            if steps & 63 == 0, isOver() { return }
            if scheduler.stepCount > settings.stepLimit {
                return report(Violation("rest", "\(scheduler.stepCount) steps were not enough"))
            }
        }
    }

    private var hasBegunAll: Bool { clients.allSatisfy(\.hasBegunAll) && kafka?.shop.hasSentAll ?? true }

    /// Whether nobody waits for anything.
    private var isAtRest: Bool {
        if isHistoryRewritten {
            return servers.contains { $0.isReady } && scheduler.now >= calmSince + .seconds(120)
                && !database.alarms.contains { database.run($0.runID)?.status != .running }
                && database.outboxCount == 0
        }
        return clients.allSatisfy(\.isDone) && isKafkaAtRest && database.alarms.isEmpty
            && servers.contains { $0.isReady }
    }

    /// Since when no faults happen.
    private(set) var calmSince = Instant.distantFuture

    func becomeCalm() {
        isCalm = true
        calmSince = scheduler.now
    }

    private var unrest: String {
        let open = database.alarms.map(\.runID)
        let clients = clients.filter { !$0.isDone }.map { "\($0.plan.name) (\($0.openSagas) open)" }
        let state = servers.map { "\($0.process.name) \($0.state)" }.joined(separator: ", ")
        return
            "after \(settings.restTime.nanoseconds / 1_000_000_000) s without faults"
            + " \(open.count) runs are open or owe something"
            + " (\(open.prefix(5).map(\.description).joined(separator: ", "))),"
            + " clients that wait: \(clients.joined(separator: ", ")); servers: \(state)" + kafkaUnrest
    }

    /// Looks at everything every two seconds.
    private func scheduleLooks() {
        scheduler.schedule("look", of: fate, after: .seconds(2)) { [self] in
            look()
            scheduleLooks()
        }
    }

    private func look() {
        do throws(Violation) { try checkPublished(isComplete: false) } catch { report(error) }
        for server in servers {
            exercise.count(.states, "task postponed when looked", server.postponedTasks)
            lookAtTails(of: server)
        }
        // What was late because of a pause goes on soon after it. So does what the nesting of calls held up.
        // A server notices that the database went back when it commits, or renews its lease.
        guard !blocking.holdsThreadsUp(at: scheduler.now), scheduler.now >= rewrittenAt + .seconds(30),
            !databaseFaults.isTroubled(at: scheduler.now),
            database.lockedUntil(nil) == nil,
            let server = servers.first(where: { $0.isReady }),
            (server.process.pausedUntil ?? .distantPast) + .seconds(15) <= scheduler.now
        else { return worldCheck.reset() }
        do throws(Violation) {
            try worldCheck.look(at: server, database) { $0 % 4 == 0 }
        } catch {
            report(error)
        }
    }

    private func lookAtTails(of server: SimulatedServer) {
        for bytes in server.history?.inspectTails() ?? [] {
            if bytes > tailBytes {
                report(Violation("load-bounds", "loaded runs keep \(bytes) bytes of history, \(tailBytes) are allowed"))
            }
            if bytes > tailBytes / 2 { exercise.count(.bounds, "bytes of history kept by loaded runs") }
        }
    }

    private func checkRest() {
        let check = RestCheck(database: database, ledgers: ledgers, isHistoryRewritten: isHistoryRewritten)
        do throws(Violation) {
            for (end, count) in try check.check() { exercise.count(.ends, end, count) }
            try checkCommands()
        } catch {
            report(error)
        }
    }

    /// The digest of all steps: two runs of the same settings have the same.
    public var digest: UInt64 { scheduler.log.digest }

    /// The newest steps, as far as they were kept, a line each.
    public var lines: [String] { scheduler.log.lines }

    /// The number of steps.
    public var stepCount: Int { scheduler.stepCount }

    /// The time that passed in the world.
    public var duration: Interval { scheduler.now - Instant(nanoseconds: 0) }

    /// The sagas that clients have begun, and commands.
    public var begunSagas: Int { clients.reduce(begunByCommands) { $0 + $1.begunSagas } }
}

extension SimulatedClient {
    var hasBegunAll: Bool { begunSagas >= plan.sagas }
}
