internal import SagamoreEngine
internal import SagamoreKafkaClient
internal import SagamoreSimulatedBroker
internal import SagamoreSimulatedTime
internal import SagamoreSimulatedWorkers

/// A program that starts sagas by commands, signals and cancels some, and reads the events. Clients take care of the
/// sagas from there on.
///
/// Unchecked: the whole world runs in one thread.
final class Shop: @unchecked Sendable {
    /// A record on the topic of the commands.
    struct Written {
        let command: ShopCommand
        let partition: Int32
        let offset: Int64
    }

    let process = SimulatedProcess("shop")
    /// All commands that were made, in order.
    private(set) var commands: [ShopCommand] = []
    /// All records that were written, in order.
    private(set) var written: [Written] = []
    /// The sagas that are to be started, and those that were.
    let sagas: Int
    private(set) var begunSagas = 0
    /// Until when records arrive late.
    var lateUntil = Instant.distantPast
    /// Whether records can be written.
    var isBrokerThere: () -> Bool = { true }
    /// Records are written once, and in time.
    var isCalm = false

    private let scheduler: Scheduler
    private let broker: SimulatedBroker
    private let clients: [SimulatedClient]
    private let ledgers: Ledgers
    private let host: FrontHost
    private let violation: (Violation) -> Void
    /// Records that have to be written.
    private var unwritten = 0
    private var adoptions = 0
    private var reader: ShopReader?

    init(
        sagas: Int,
        _ scheduler: Scheduler,
        _ broker: SimulatedBroker,
        _ clients: [SimulatedClient],
        _ ledgers: Ledgers,
        violation: @escaping (Violation) -> Void
    ) {
        self.sagas = sagas
        self.scheduler = scheduler
        self.broker = broker
        self.clients = clients
        self.ledgers = ledgers
        self.violation = violation
        host = FrontHost(process, of: scheduler, broker: broker)
    }

    /// Whether all sagas were begun, and all records are on the topic.
    var hasSentAll: Bool { begunSagas >= sagas && unwritten == 0 }

    /// Whether clients know of each saga.
    var isDone: Bool { hasSentAll && adoptions == sagas }

    func start() {
        let reader = ShopReader { [weak self] in self?.read($0) }
        self.reader = reader
        reader.start(host)
        begin()
    }

    /// Lets go of what it holds. Called when the world has ended.
    func discard() {
        process.kill()
        host.discard()
    }

    // MARK: Commands

    private func begin() {
        for _ in 0..<min(scheduler.random.within(1...8), sagas - begunSagas) {
            begunSagas += 1
            let script = WorkflowScript.random(using: &scheduler.random)
            let start = ShopCommand.start(begunSagas, script)
            send(start)
            accompany(start, begunSagas)
        }
        guard begunSagas < sagas else { return }
        after(1...300) { [unowned self] in begin() }
    }

    /// Other records that follow a start, or come before it.
    private func accompany(_ start: ShopCommand, _ number: Int) {
        if scheduler.random.happens(0.2) {
            let signal = scheduler.random.below(WorkflowScript.signalCount)
            ledgers.clients.sendsSignal(to: start.key)
            send(.signal(number, to: start.workflowID, signal))
        }
        if scheduler.random.happens(0.05) { send(.cancel(number, start.workflowID)) }
        if scheduler.random.happens(0.05) { send(.refused(number, start.workflowID)) }
        if scheduler.random.happens(0.05) { send(.unreadable(number, &scheduler.random)) }
    }

    /// Writes a record soon, and sometimes another time: a producer retries when it hears nothing.
    private func send(_ command: ShopCommand) {
        commands.append(command)
        var copies = 1
        if scheduler.random.happens(0.1) { copies += scheduler.random.within(1...2) }
        for copy in 0..<copies {
            unwritten += 1
            after(copy == 0 ? 1...20 : 1...15_000) { [unowned self] in write(command) }
        }
    }

    private func write(_ command: ShopCommand) {
        if !isCalm, lateUntil > scheduler.now {
            return scheduler.schedule("send late", of: process, after: lateUntil - scheduler.now) { [unowned self] in
                write(command)
            }
        }
        let key = command.workflowID.isEmpty ? nil : Array(command.workflowID.utf8)
        let topic = ServerKafka.commandTopic
        guard isBrokerThere(), let place = broker.append(topic: topic, key: key, value: command.value) else {
            return after(100...1_000) { [unowned self] in write(command) }
        }
        unwritten -= 1
        written.append(Written(command: command, partition: place.partition, offset: place.offset))
    }

    private func after(_ milliseconds: ClosedRange<Int>, _ body: @escaping () -> Void) {
        let delay = Interval.milliseconds(Int64(scheduler.random.within(milliseconds)))
        scheduler.schedule("shop", of: process, after: delay, body)
    }

    /// The offset behind the last record of each partition.
    var ends: [(partition: Int32, offset: Int64)] {
        var ends: [(partition: Int32, offset: Int64)] = []
        for record in written {
            if let place = ends.firstIndex(where: { $0.partition == record.partition }) {
                ends[place].offset = max(ends[place].offset, record.offset + 1)
            } else {
                ends.append((record.partition, record.offset + 1))
            }
        }
        return ends
    }

    // MARK: Events

    private func read(_ event: ShopEvent) {
        guard event.status == "accepted", let command = commands.first(where: { $0.id == event.commandID }) else {
            return
        }
        guard case .start(let script) = command.kind, let run = event.runID, event.workflowID == command.workflowID
        else { return violation(Violation("events", "command \(event.commandID) was not the one that was accepted")) }
        adopt(command.key, run, script)
    }

    private func adopt(_ key: WorkflowKey, _ run: RunID, _ script: WorkflowScript) {
        // A client that is down takes nothing over.
        guard let client = scheduler.random.pick(clients.filter(\.isRunning)) else {
            return after(100...1_000) { [unowned self] in adopt(key, run, script) }
        }
        adoptions += 1
        client.adopt(key, run, script)
    }
}
