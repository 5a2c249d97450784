import SagamoreEngine
import SagamoreKafkaClient
import SagamoreKafkaFront
import SagamoreLogging
import SagamoreServices
import SagamoreSimulatedBroker
import SagamoreSimulatedTime

/// Two server processes, of which one owns the shards, a broker and a database, until all is published and carried out.
///
/// Unchecked: the whole world runs in one thread.
final class FrontWorld: @unchecked Sendable {
    static let shardCount = 2
    static let topics = ["saga.events", "other.events"]
    static let commandTopic = "saga.commands"
    private static let epoch = Instant(nanoseconds: 1_800_000_000_000_000_000)

    let scheduler: Scheduler
    let broker: SimulatedBroker
    let outbox = MemoryOutbox(shards: shardCount)
    private let servers = [SimulatedProcess("server-a"), SimulatedProcess("server-b")]
    /// Writes records and commands, and breaks things. It never dies.
    private let outside = SimulatedProcess("outside")
    private var fronts: [KafkaFront?] = [nil, nil]
    private var owner = 0
    private var hasFaults = true
    private var depth = 0
    private let faultRate: Double
    private let refusesRecords: Bool
    private(set) var written = 0
    private(set) var sent = 0
    /// How often each command took effect, and each fault occurred.
    private(set) var effects: [String: Int] = [:]
    private(set) var faults: [String: Int] = [:]

    private var recordCount: Int
    private let commandCount: Int

    init(seed: UInt64, records: Int = 0, commands: Int = 0) {
        let scheduler = Scheduler(seed: seed)
        self.scheduler = scheduler
        broker = SimulatedBroker { Self.epoch + (scheduler.now - Instant(nanoseconds: 0)) }
        faultRate = [0, 0.003, 0.01, 0.05][Int(seed % 4)]
        refusesRecords = seed % 8 >= 4
        recordCount = records
        commandCount = commands
    }

    // MARK: Running

    /// Runs to the end.
    ///
    /// - Returns: whether all came to rest in time.
    func run() -> Bool {
        broker.fault = { [unowned self] in fault($0) }
        outbox.fault = { [unowned self] in
            guard hasFaults, scheduler.random.happens(faultRate) else { return nil }
            return scheduler.random.happens(0.5)
        }
        outbox.wait = { [unowned self] in letOthersGoOn() }
        let bounds = ["message.timestamp.before.max.ms": "3600000", "message.timestamp.after.max.ms": "3600000"]
        for topic in Self.topics { broker.createTopic(topic, partitions: 3, settings: bounds) }
        start(0)
        write()
        send()
        breakSomething()
        return runToRest()
    }

    private func runToRest() -> Bool {
        let limit = scheduler.now + .seconds(1_800)
        while scheduler.now < limit {
            guard scheduler.step(), scheduler.stepCount < 500_000 else { return false }
            if hasFaults, written == recordCount, sent == commandCount, scheduler.now > calm { endFaults() }
            if !hasFaults, isDone { return true }
        }
        return false
    }

    /// Forgets the cursors of all topics, as after a week without records, and writes more with a new server.
    func runAfterCursorsHaveExpired(records: Int) -> Bool {
        for topic in Self.topics { broker.expireOffsets(group: "sagamore-installation-cursor-\(topic)") }
        start(1 - owner)
        recordCount += records
        write()
        return runToRest()
    }

    /// Others make steps while a statement is under way.
    private func letOthersGoOn() {
        guard hasFaults, depth < 3, scheduler.random.happens(0.1) else { return }
        depth += 1
        defer { depth -= 1 }
        var isOver = false
        let time = Interval.milliseconds(Int64(scheduler.random.within(1...100)))
        scheduler.schedule("statement", of: outside, after: time) { isOver = true }
        while !isOver, scheduler.step() {}
    }

    /// When faults may end.
    private let calm = Instant(nanoseconds: 40_000_000_000)

    private var isDone: Bool { written == recordCount && outbox.isEmpty && effects.count == commandCount }

    private func endFaults() {
        hasFaults = false
        for server in servers { server.clockOffset = .zero }
        start(owner)
    }

    // MARK: Servers

    /// Kills the server that owns no shards.
    func killOther() { servers[1 - owner].kill() }

    private func start(_ number: Int) {
        let process = servers[number]
        process.kill()
        owner = number
        let name = "\(process.name)-\(process.life)"
        outbox.setOwner(name)
        let host = FrontHost(process, of: scheduler, broker: broker)
        var route = Route(workflowType: "Booking", taskQueue: "bookings", eventsTopic: Self.topics[0])
        route.commandTopic = Self.commandTopic
        let outbox = outbox
        let scheduler = scheduler
        let front = try? KafkaFront(
            configuration: KafkaFrontConfiguration(kafka: KafkaConfiguration(bootstrap: "simulated"), routes: [route]),
            history: RecordingHistory { [weak self] in self?.submitted($0, $1, by: process, life: process.life) },
            makeOutboxStore: { MemoryOutboxStore(outbox, process: name, isAlive: { host.isAlive }) },
            namespaces: OneNamespace(),
            installationID: "installation",
            shardCount: Self.shardCount,
            shard: { Int($0.workflowID.utf8.last ?? 0) % Self.shardCount },
            clock: { Self.epoch + (scheduler.now - Instant(nanoseconds: 0)) + process.clockOffset },
            environment: host.environment,
            log: Self.silent
        )
        fronts[number] = front
        front?.start()
        front?.ownershipChanged(ownsShards: true)
    }

    private static let silent = Logger(
        label: "simulation",
        handler: LogHandler(format: .text, destination: .lines { _ in })
    )

    private func breakSomething() {
        guard hasFaults else { return }
        switch scheduler.random.below(11) {
        case 0...2: start(owner)
        case 3: start(1 - owner)
        case 4:
            // The old owner sleeps while the new one works, and then goes on.
            servers[owner].pause(until: scheduler.now + .milliseconds(Int64(scheduler.random.within(1...40_000))))
            start(1 - owner)
        case 5: servers[owner].pause(until: scheduler.now + .milliseconds(Int64(scheduler.random.within(1...15_000))))
        case 6:
            fronts[owner]?.stop()
            start(owner)
        case 7:
            // Records are refused while the clock is two hours off.
            servers[owner].clockOffset = .seconds([-7_200, 0, 7_200][scheduler.random.below(3)])
        case 8: fronts[owner]?.ownershipChanged(ownsShards: scheduler.random.happens(0.5))
        case 9: if scheduler.random.happens(0.5) { outbox.crash() } else { outbox.flush() }
        default: break
        }
        after(100...6_000) { [unowned self] in breakSomething() }
    }

    private func after(_ milliseconds: ClosedRange<Int>, _ body: @escaping () -> Void) {
        let delay = Interval.milliseconds(Int64(scheduler.random.within(milliseconds)))
        scheduler.schedule("outside", of: outside, after: delay, body)
    }

    // MARK: Records

    private func write() {
        for _ in 0..<min(scheduler.random.within(1...20), recordCount - written) {
            written += 1
            let shard = scheduler.random.below(Self.shardCount)
            let record = OutboxRecord(
                topic: Self.topics[scheduler.random.below(2)],
                key: Array("key-\(shard)-\(scheduler.random.below(5))".utf8),
                value: Array("\(written)".utf8),
                headers: []
            )
            outbox.write(record, to: shard)
            if scheduler.random.happens(0.8) { fronts[owner]?.outboxGrew(Int32(shard)) }
        }
        if written < recordCount { after(1...1_500) { [unowned self] in write() } }
    }

    private func send() {
        guard sent < commandCount else { return }
        let text = Array("{\"command_id\":\"\(sent)\",\"workflow_id\":\"w\(sent)\"}".utf8)
        let wasWritten = broker.append(topic: Self.commandTopic, key: Array("\(sent % 7)".utf8), value: text) != nil
        // The producer retries when it did not hear, and sometimes though its record arrived.
        if wasWritten, scheduler.random.happens(0.8) { sent += 1 }
        after(1...400) { [unowned self] in send() }
    }

    private func submitted(
        _ command: IncomingCommand,
        _ reply: Reply<CommandOutcome>,
        by process: SimulatedProcess,
        life _: Int
    ) {
        let id = command.origin.commandID
        scheduler.schedule("commit", of: process, after: .milliseconds(Int64(scheduler.random.below(50)))) { [self] in
            let fails = hasFaults && scheduler.random.happens(faultRate)
            if fails, scheduler.random.happens(0.5) { return reply.fail(.unavailable("later")) }
            let isNew = effects[id] == nil
            effects[id, default: 0] += 1
            if fails { return reply.fail(.unavailable("unknown")) }
            reply.succeed(isNew ? .carriedOut : .duplicate)
        }
    }

    // MARK: Faults

    private func fault(_ operation: BrokerOperation) -> BrokerFault {
        guard hasFaults, scheduler.random.happens(faultRate) else { return .none }
        let possible = BrokerFault.possible(
            for: operation.kind,
            delay: .milliseconds(Int64(scheduler.random.within(1...5_000))),
            refusesRecords: refusesRecords
        )
        let fault = scheduler.random.pick(possible) ?? .none
        faults[fault.name, default: 0] += 1
        return fault
    }

    // MARK: What is there at the end

    /// The numbers of the committed records of each topic by key, in order. The records of a key are of one shard.
    func published() -> [String: [Int]] {
        var numbers: [String: [Int]] = [:]
        for topic in Self.topics {
            for record in broker.committedRecords(topic) {
                let key = topic + "/" + String(decoding: record.key ?? [], as: UTF8.self)
                numbers[key, default: []].append(Int(String(decoding: record.value ?? [], as: UTF8.self)) ?? -1)
            }
        }
        return numbers
    }

    /// The numbers of the records that were moved to the dead events.
    var dead: Set<Int> {
        Set(outbox.shards.flatMap(\.dead).compactMap { Int(String(decoding: $0.record.value ?? [], as: UTF8.self)) })
    }
}
