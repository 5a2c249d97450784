internal import SagamoreEngine
internal import SagamoreKafkaClient
internal import SagamoreKafkaFront
internal import SagamoreLogging
internal import SagamorePersistence
internal import SagamoreSimulatedBroker
internal import SagamoreSimulatedWorkers

/// How the servers of a world read commands and publish events.
///
/// Unchecked: the whole world runs in one thread.
struct ServerKafka: @unchecked Sendable {
    static let commandTopic = "saga.commands"
    static let eventsTopic = "saga.events"
    static let deadLetterTopic = "saga.commands.dlq"
    static let commandGroup = "sagamore-\(installation)-commands"
    private static let installation = "installation"

    let broker: SimulatedBroker
    /// Shards of the database when a server starts.
    let shardCount: () -> Int
    /// A publisher's session with the database, for a process that owns shards by this name.
    let makeOutboxStore: (String) throws -> any OutboxStore

    static var route: Route {
        Route(
            commandTopic: commandTopic,
            workflowType: WorkflowScript.workflowType,
            taskQueue: "sagas",
            eventsTopic: eventsTopic,
            deadLetterTopic: deadLetterTopic
        )
    }

    /// The front of a server's life, not started.
    func makeFront(
        _ life: ServerLife,
        name: String,
        shard: @escaping @Sendable (WorkflowKey) -> Int,
        clock: @escaping @Sendable () -> Instant,
        log: Logger
    ) -> ServerFront {
        let host = FrontHost(life.process, of: life.scheduler, broker: broker)
        var configuration = KafkaFrontConfiguration(
            kafka: KafkaConfiguration(bootstrap: "simulated"),
            routes: [Self.route]
        )
        configuration.partitions = 3
        do throws(KafkaError) {
            let front = try KafkaFront(
                configuration: configuration,
                history: ReachedHistory(life),
                makeOutboxStore: {
                    try life.checkLife()
                    return ReachedOutboxStore(try makeOutboxStore(name), life)
                },
                namespaces: OneNamespace(),
                installationID: Self.installation,
                shardCount: shardCount(),
                shard: shard,
                clock: clock,
                environment: host.environment,
                log: log
            )
            return ServerFront(front: front, host: host)
        } catch {
            preconditionFailure("the configuration is refused: \(error)")
        }
    }
}

/// The Kafka front of one life of a server.
struct ServerFront {
    let front: KafkaFront
    let host: FrontHost
}
