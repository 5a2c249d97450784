internal import SagamoreEngine
internal import SagamoreKafkaClient
internal import SagamoreKafkaFront
internal import SagamoreSimulatedBroker
internal import SagamoreSimulatedDatabase
internal import SagamoreSimulatedTime
internal import SagamoreSimulatedWorkers

/// Kafka in a world: the broker, the program that writes commands, and what is known of them.
struct WorldKafka {
    let broker: SimulatedBroker
    let shop: Shop
    var faults: BrokerFaults
    var check = EventCheck()
    /// Hosts of strangers in the group that reads the commands.
    var strangers: [(process: SimulatedProcess, host: FrontHost)] = []
}

extension World {
    /// The share of the sagas that begin with a command.
    static func commandShare(_ settings: WorldSettings) -> Double {
        if let share = settings.commandShare { return share }
        if let share = settings.plantedBug?.commandShare { return share }
        var chance = SeededRandom(seed: settings.seed ^ 0x4B41_464B_4146_524F)
        return [0, 0, 0, 0, 0.3, 1][chance.below(6)]
    }

    /// Makes the broker, and connects the servers with it.
    func prepareKafka(sagas: Int) {
        guard sagas > 0 else { return }
        let scheduler = scheduler
        let database = database
        let broker = SimulatedBroker { SimulatedServer.epoch + (scheduler.now - Instant(nanoseconds: 0)) }
        let shop = Shop(sagas: sagas, scheduler, broker, clients, ledgers) { [unowned self] in report($0) }
        shop.isBrokerThere = { [unowned self] in kafka?.faults.awayUntil ?? .distantPast <= scheduler.now }
        kafka = WorldKafka(broker: broker, shop: shop, faults: BrokerFaults(faults, scheduler.random.fork()))
        broker.fault = { [unowned self] operation in
            guard let (fault, kind) = kafka?.faults.fault(of: operation, at: scheduler.now) else { return .none }
            if let kind {
                exercise.count(.faults, kind.rawValue)
                scheduler.note("\(kind.rawValue): \(operation.process) \(operation.kind)")
            }
            return fault
        }
        for server in servers {
            server.kafka = ServerKafka(
                broker: broker,
                shardCount: { database.shards.count },
                makeOutboxStore: { try database.outboxStore(process: $0) }
            )
        }
    }

    // MARK: Faults

    func happenToBroker(_ kind: FaultKind) {
        let length = Interval.milliseconds(Int64(chance.within(1...20_000)))
        switch kind {
        case .brokerAway: kafka?.faults.awayUntil = scheduler.now + length
        case .recordsLate: kafka?.shop.lateUntil = scheduler.now + length
        case .rebalance: addStranger(for: length)
        default: preconditionFailure("\(kind.rawValue) happens to an operation of the broker")
        }
    }

    /// Another program joins the group of the commands, takes some partitions, and is killed.
    private func addStranger(for length: Interval) {
        guard let broker = kafka?.broker else { return }
        let process = SimulatedProcess("stranger")
        let host = FrontHost(process, of: scheduler, broker: broker)
        _ = try? host.environment.clients.consumer(
            KafkaConfiguration(bootstrap: "simulated"),
            group: ServerKafka.commandGroup,
            topics: [ServerKafka.commandTopic],
            handlers: KafkaConsumer.Handlers(records: { _ in })
        )
        kafka?.strangers.append((process, host))
        scheduler.schedule("kill the stranger", of: fate, after: length) { [unowned self] in discardStrangers() }
    }

    private func discardStrangers() {
        for stranger in kafka?.strangers ?? [] {
            stranger.process.kill()
            stranger.host.discard()
        }
        kafka?.strangers = []
    }

    func endBrokerFaults() {
        kafka?.faults.rates = .none
        kafka?.faults.awayUntil = .distantPast
        kafka?.shop.isCalm = true
        discardStrangers()
    }

    // MARK: The end

    /// Whether all commands are carried out, and all events published.
    var isKafkaAtRest: Bool {
        guard let kafka else { return true }
        guard kafka.shop.isDone, database.outboxCount == 0 else { return false }
        return unreadCommands.isEmpty
    }

    /// Partitions whose commands are not all done.
    private var unreadCommands: [String] {
        guard let kafka else { return [] }
        return kafka.shop.ends.compactMap { partition, end in
            let name = KafkaPartition(topic: ServerKafka.commandTopic, partition: partition)
            let offset = kafka.broker.committedOffset(group: ServerKafka.commandGroup, name)?.offset ?? 0
            return offset >= end ? nil : "partition \(partition) at \(offset) of \(end)"
        }
    }

    var kafkaUnrest: String {
        guard let kafka, !isKafkaAtRest else { return "" }
        return "; Kafka: \(database.outboxCount) records in outboxes, commands: "
            + (unreadCommands.isEmpty ? "all read" : unreadCommands.joined(separator: ", "))
            + (kafka.shop.isDone ? "" : ", the shop waits for events")
    }

    /// What is published, compared with what was committed.
    func checkPublished(isComplete: Bool) throws(Violation) {
        guard let kafka else { return }
        var check = kafka.check
        self.kafka?.check = EventCheck()
        defer { self.kafka?.check = check }
        try check.checkPublished(kafka.broker, isComplete: isComplete)
    }

    func checkCommands() throws(Violation) {
        guard let kafka else { return }
        try checkPublished(isComplete: true)
        if isHistoryRewritten { return }
        try CommandCheck(database: database, broker: kafka.broker, shop: kafka.shop).check()
    }

    func discardKafka() {
        discardStrangers()
        kafka?.shop.discard()
        kafka = nil
    }

    func summarizeKafka() {
        guard let kafka else { return }
        for record in kafka.shop.written { exercise.count(.requests, record.command.name) }
        for record in kafka.broker.committedRecords(ServerKafka.eventsTopic) {
            exercise.count(.published, ShopEvent(record.value)?.status ?? "no event")
        }
        exercise.count(.published, "dead letter", kafka.broker.committedRecords(ServerKafka.deadLetterTopic).count)
    }
}
