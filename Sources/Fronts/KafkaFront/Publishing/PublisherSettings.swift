internal import SagamoreEngine
internal import SagamoreKafkaClient

/// What all publishers of an installation have in common.
struct PublisherSettings: Sendable {
    var kafka: KafkaConfiguration
    /// Made with the database: two installations on one broker never meet.
    var installationID: String
    var cursorTopic: String
    /// The timestamp of published records.
    var clock: @Sendable () -> Instant
    var batchRows = 1_000
    var batchBytes = 4 << 20
    /// How long one call to the broker may take before it is repeated.
    var callLimit = Duration.seconds(10)
    /// Without a ring the outbox is looked at this often.
    var slowPoll = Duration.seconds(1)
    /// Positions are written to the database, and published records deleted, this often.
    var cleaningInterval = Duration.seconds(1)
    var deletionRows = 2_000

    /// Who has it last fences all other publishers of the shard.
    func transactionalID(shard: Int32) -> String { "sagamore-\(installationID)-\(shard)" }

    /// The consumer group whose offset, in the shard's partition of the cursor topic, is the number of the last
    /// published record. It has no members.
    func cursorGroup(topic: String) -> String { "sagamore-\(installationID)-cursor-\(topic)" }

    func cursor(shard: Int32) -> KafkaPartition { KafkaPartition(topic: cursorTopic, partition: shard) }

    /// What a topic of dead letters takes when it is made here, and what is sent at most. Other topics take what their
    /// broker allows, 1,048,588 bytes unless configured, and refuse the rest.
    static let largestRecord = 10 << 20

    /// Everything is sent at once: what gathers meanwhile makes the next batch.
    var producer: KafkaConfiguration {
        var configuration = kafka
        let own = ["linger.ms": "0", "message.max.bytes": String(Self.largestRecord)]
        configuration.properties = own.merging(configuration.properties) { $1 }
        return configuration
    }
}
