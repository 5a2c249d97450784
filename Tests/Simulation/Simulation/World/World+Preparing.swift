internal import SagamoreEngine
internal import SagamoreHistoryService
internal import SagamoreKafkaFront
internal import SagamoreMatchingService
internal import SagamorePersistence
internal import SagamorePostgresClient
internal import SagamoreServices
internal import SagamoreSimulatedDatabase
internal import SagamoreSimulatedTime
internal import SagamoreSimulatedWorkers

extension World {
    /// Makes everybody and connects them.
    func prepare() {
        prepareDatabase()
        // Two nodes: the second one runs where the first is paused.
        for name in ["server-a", "server-b"] { servers.append(server(name)) }
        var limits = Limits.drawn(settings.drawsLimits, using: &chance)
        // A source of its own: the rest of a world does not change with what is drawn here.
        var random = SeededRandom(seed: settings.seed ^ 0x5155_4555_4553_4953)
        if settings.drawsLimits { limits.drawMore(using: &random) }
        if let time = settings.plantedBug?.parkAfter { limits.parkAfter = time }
        for server in servers {
            server.configure = { limits.apply(to: &$0) }
            server.queueRoom = limits.queueRoom
        }
        tailBytes = limits.bounds.tailBytes
        // A loader with small bounds reads a run in many calls, and each of them may be slow.
        if limits.bounds.lookUps < 20 || limits.bounds.pageBytes < 4_096 { worldCheck.patience = 150 }
        // A flush may find the database away, or a lock.
        let flush = limits.heartbeatFlush.nanoseconds
        // A request that is late, or comes twice, brings back the details of an earlier heartbeat: the last one wins.
        if faults[.delay] == 0, faults[.requestTwice] == 0 {
            ledgers.activities.heartbeatGrace = Interval(nanoseconds: flush + Interval.seconds(60).nanoseconds)
        }
        if settings.drawsLimits {
            blocking.rate = [0, 0.05, 0.3][chance.below(3)]
            blocking.switchRate = [0, 0.02, 0.2][chance.below(3)]
            blocking.longest = .milliseconds([2, 20, 200][chance.below(3)])
        }
        blocking.onLaneCall = { [unowned self] in pauseWithinCommit($0) }
        prepareNetwork()
        let workerFaults = faults.ofWorkers
        for number in 0..<settings.workers {
            var configuration = WorkerConfiguration("worker-\(number)")
            if settings.drawsLimits {
                configuration.mostCachedRuns = [0, 4, 32][chance.below(3)]
                configuration.activityPolls = chance.within(1...4)
                configuration.workflowPolls = chance.within(1...3)
            }
            workers.append(SimulatedWorker(configuration, network, ledgers: ledgers, faults: workerFaults))
        }
        let commands = Int((Double(settings.sagas) * Self.commandShare(settings)).rounded())
        let share = (settings.sagas - commands) / settings.clients
        for number in 0..<settings.clients {
            var plan = ClientPlan("client-\(number)")
            plan.sagas = number == 0 ? settings.sagas - commands - share * (settings.clients - 1) : share
            plan.mix.children = 0.08
            plan.mix.chains = 0.3
            plan.mix.told = 0.3
            clients.append(SimulatedClient(plan, network, ledgers: ledgers))
        }
        prepareKafka(sagas: commands)
    }

    private func prepareDatabase() {
        database.plantedBugs = settings.plantedBug.map { $0.ofDatabase } ?? []
        database.fault = { [unowned self] operation in
            let (fault, kind) = databaseFaults.fault(of: operation, at: scheduler.now)
            // A run whose rows are refused leaves memory.
            if kind == .rowRefused || fault == .tableMissing {
                ledgers.activities.memoryWasLost(at: scheduler.now)
            }
            if let kind {
                exercise.count(.faults, kind.rawValue)
                scheduler.note("\(kind.rawValue): \(operation.kind)")
            }
            return fault
        }
        database.onMissingRows = { [unowned self] in report(Violation("missing-rows", $0)) }
        database.onRepeatedRow = { [unowned self] in report(Violation("repeated-rows", "\($0) is there already")) }
        database.onCommit = { [unowned self] batch, fence in
            do throws(Violation) {
                noteOwner(of: fence)
                try commitCheck.check(batch, fence, in: database)
                countStates(of: batch)
                if !batch.outbox.isEmpty { try kafka?.check.committed(batch.outbox) }
            } catch {
                report(error)
            }
        }
    }

    private func countStates(of batch: CommitBatch) {
        for alarm in batch.alarms {
            if case .set(let value) = alarm.change, value.at != nil { exercise.count(.states, "run leaves memory") }
        }
        for change in batch.backlog {
            if case .remove = change {
                exercise.count(.states, "task paged in")
            } else {
                exercise.count(.states, "task paged out")
            }
        }
    }

    /// A new owner of a shard does not have what the one before had in memory.
    private func noteOwner(of fence: ShardFence) {
        guard epochs.updateValue(fence.epoch, forKey: fence.shard) != fence.epoch else { return }
        ledgers.activities.memoryWasLost(at: scheduler.now)
    }

    private func server(_ name: String) -> SimulatedServer {
        let database = database
        let stores = ServerStores(
            makeLaneStore: { _ in try database.laneStore(of: name) },
            makeLoaderStore: { try database.loaderStore(of: name) },
            lockedUntil: { shard in
                // The database's clock shows true time, from another zero.
                database.lockedUntil(shard).map { Instant(nanoseconds: 0) + ($0 - SimulatedServer.epoch) }
            }
        )
        let server = SimulatedServer(
            scheduler,
            name: name,
            stores: stores,
            encoder: StatusEventJSON(),
            blocking: blocking
        )
        server.defect = settings.plantedBug
        server.onFinding = { [weak self] in self?.report($0) }
        server.onReached = { [weak self] in self?.exercise.count(.bounds, $0) }
        server.onEnd = { [weak self] in
            if let self { ledgers.activities.memoryWasLost(at: scheduler.now) }
        }
        server.onChange = { [weak self] in self?.route() }
        server.onExit = { [weak self, weak server] _ in
            guard let self, let server else { return }
            // A process manager starts it again.
            scheduler.schedule("start again", of: fate, after: .seconds(1)) {
                // The other one has the shards: a second server waits for them, as in production.
                server.start()
            }
        }
        return server
    }

    /// Requests go to a server that can be reached; with two, now to one and now to the other.
    func route() {
        let reachable = servers.compactMap(\.reachable)
        address.service = chance.pick(reachable)
    }

    private func prepareNetwork() {
        network.faults.lostRequests = faults[.requestLost]
        network.faults.lostAnswers = faults[.answerLost]
        network.faults.repeatedRequests = faults[.requestTwice]
        network.faults.delays = faults[.delay]
    }
}

/// Limits and times of a world. Small ones are reached often.
struct Limits: Sendable {
    var parkAfter = Interval.seconds(1)
    var alarmHorizon = Interval.seconds(10)
    var batchRows = 4_000
    var laneQueue = 50_000
    var heartbeatFlush = Interval.seconds(5)
    var queueRoom = QueueRoom.usual
    var bounds = WorkBounds()

    static func drawn(_ isDrawn: Bool, using random: inout SeededRandom) -> Limits {
        var limits = Limits()
        guard isDrawn else { return limits }
        limits.parkAfter = .milliseconds([50, 1_000, 1_000, 20_000][random.below(4)])
        limits.alarmHorizon = .milliseconds([100, 10_000][random.below(2)])
        limits.batchRows = [1, 20, 4_000][random.below(3)]
        limits.laneQueue = [20, 200, 50_000][random.below(3)]
        limits.heartbeatFlush = .milliseconds([10, 5_000][random.below(2)])
        return limits
    }

    mutating func drawMore(using random: inout SeededRandom) {
        let (tasks, bytes) = ([2, 3, 5, 20], [1, 20_000])
        // Half of the worlds have room.
        switch random.below(12) {
        case let place where place < tasks.count: queueRoom.tasks = tasks[place]
        case let place where place < tasks.count + bytes.count: queueRoom.bytes = bytes[place - tasks.count]
        default: break
        }
        // Half of the worlds have the bounds of production.
        guard random.happens(0.5) else { return }
        bounds.lookUps = [1, 2, 5, 20][random.below(4)]
        bounds.pageBytes = [1, 200, 3_000][random.below(3)]
        bounds.tailBytes = [100, 1_000, 10_000][random.below(3)]
        bounds.settledRuns = [1, 2, 5][random.below(3)]
        bounds.dueRuns = [1, 2, 5][random.below(3)]
        bounds.lateDueRuns = 1
        bounds.dueEntries = [1, 3, 10][random.below(3)]
        bounds.idleRuns = [1, 2, 5][random.below(3)]
    }

    func apply(to configuration: inout HistoryConfiguration) {
        configuration.parkAfter = parkAfter
        configuration.alarmHorizon = alarmHorizon
        configuration.batchRowLimit = batchRows
        configuration.laneQueueLimit = laneQueue
        configuration.heartbeatFlush = heartbeatFlush
        configuration.bounds = bounds
    }
}
