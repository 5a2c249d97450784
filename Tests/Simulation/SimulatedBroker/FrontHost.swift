internal import SagamoreEngine
internal import SagamoreKafkaClient
package import SagamoreKafkaFront
public import SagamoreSimulatedTime

/// Gives a Kafka front of a simulated process all that it takes from outside: clients of the simulated broker, the
/// scheduler's clock and chance, and steps that the scheduler makes. Each life of a process needs a host of its own.
///
/// Unchecked: the whole world runs in one thread.
public final class FrontHost: @unchecked Sendable {
    /// The steady clock's time when the world began.
    private static let beginning = ContinuousClock.now

    let broker: SimulatedBroker
    let scheduler: Scheduler
    let process: SimulatedProcess
    /// The time that the calls of the current step take.
    public let timer = CallTimer()
    private let life: Int
    private var endings: [() -> Void] = []

    /// A host for the life of a process that begins now.
    public init(_ process: SimulatedProcess, of scheduler: Scheduler, broker: SimulatedBroker) {
        self.process = process
        self.scheduler = scheduler
        self.broker = broker
        life = process.life
    }

    fileprivate var connection: BrokerConnection {
        BrokerConnection(broker: broker, timer: timer, process: process.name, isAlive: { self.isAlive })
    }

    /// Lets go of all that the front and its clients hold. Called after the process was killed.
    public func discard() {
        for end in endings { end() }
        endings = []
        broker.forgetObservers()
    }

    func onDiscard(_ end: @escaping () -> Void) { endings.append(end) }

    /// Whether the life for which this host was made has not ended.
    public var isAlive: Bool { process.life == life }

    /// The steady clock. Calls of the current step have taken their time.
    package var now: ContinuousClock.Instant {
        Self.beginning + .nanoseconds(scheduler.now.nanoseconds + timer.elapsed.nanoseconds)
    }

    /// What the front takes from outside.
    package var environment: FrontEnvironment {
        FrontEnvironment(
            clients: SimulatedClients(host: self),
            loops: ScheduledLoops(host: self),
            now: { self.now },
            chance: Chance { self.scheduler.random.next() }
        )
    }
}

/// Clients of the simulated broker. Unchecked: the whole world runs in one thread.
private struct SimulatedClients: KafkaClients, @unchecked Sendable {
    let host: FrontHost

    func admin(_: KafkaConfiguration) throws(KafkaError) -> any ClusterAdmin {
        SimulatedAdmin(host.connection)
    }

    func producer(
        _ configuration: KafkaConfiguration,
        transactionalID: String
    ) throws(KafkaError) -> any TransactionalProducer {
        SimulatedProducer(host.connection, configuration, id: transactionalID)
    }

    func consumer(
        _: KafkaConfiguration,
        group: String,
        topics: [String],
        handlers: KafkaConsumer.Handlers
    ) throws(KafkaError) -> any PartitionControl {
        let host = host
        let place = SimulatedConsumer.Host(
            connection: host.connection,
            now: { host.now },
            chance: { host.scheduler.random.within($0) }
        )
        let consumer = SimulatedConsumer(place, group: group, topics: topics, handlers: handlers)
        let loop = ScheduledLoop(host, "poll commands")
        consumer.ring = { [weak loop] in loop?.ring() }
        host.broker.observe({ host.isAlive && !consumer.isClosed }, loop.ring)
        loop.start { { consumer.step() } }
        return consumer
    }
}

/// Loops whose steps the scheduler makes. Unchecked: the whole world runs in one thread.
private struct ScheduledLoops: LoopDriver, @unchecked Sendable {
    let host: FrontHost

    func loop(_ name: LoopName) -> any DrivenLoop {
        switch name {
        case .front: ScheduledLoop(host, "kafka front")
        case .submitter: ScheduledLoop(host, "submit commands")
        case .publisher: ScheduledLoop(host, "publish events")
        }
    }
}
