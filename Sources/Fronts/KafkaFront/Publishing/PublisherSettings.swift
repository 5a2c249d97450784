internal import SagamoreEngine
internal import SagamoreKafkaClient

/// The settings of all publishers of an installation.
struct PublisherSettings: Sendable {
    var kafka: KafkaConfiguration
    /// Created with the database. It keeps installations on one broker apart.
    var installationID: String
    var cursorTopic: String
    /// The timestamp of published records.
    var clock: @Sendable () -> Instant
    var batchRows = 1_000
    var batchBytes = 4 << 20
    /// The time limit of one call to the broker.
    var callLimit = Duration.seconds(10)
    /// How often the outbox is read without a ring.
    var slowPoll = Duration.seconds(1)
    /// How often positions are recorded in the database and published rows are deleted.
    var cleaningInterval = Duration.seconds(1)
    var deletionRows = 2_000

    /// The last producer to initialize it fences all other producers of the shard.
    func transactionalID(shard: Int32) -> String { "sagamore-\(installationID)-\(shard)" }

    /// The consumer group of a topic's cursor: its offset in the shard's partition of the cursor topic is the number of
    /// the last published record. It has no members.
    func cursorGroup(topic: String) -> String { "sagamore-\(installationID)-cursor-\(topic)" }

    func cursor(shard: Int32) -> KafkaPartition { KafkaPartition(topic: cursorTopic, partition: shard) }

    /// The size limit of dead-letter topics that are created here, and of the producer, in bytes. Other topics have the
    /// broker's limit, 1,048,588 bytes by default.
    static let largestRecord = 10 << 20

    /// Sends records without lingering: those that arrive in the meantime form the next batch.
    var producer: KafkaConfiguration {
        var configuration = kafka
        let own = ["linger.ms": "0", "message.max.bytes": String(Self.largestRecord)]
        configuration.properties = own.merging(configuration.properties) { $1 }
        return configuration
    }
}
