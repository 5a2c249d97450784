package import SagamoreKafkaClient

/// Creates the clients of the brokers.
package protocol KafkaClients: Sendable {
    /// - Throws: when a property of the configuration is not valid.
    func admin(_ configuration: KafkaConfiguration) throws(KafkaError) -> any ClusterAdmin
    /// - Throws: when a property of the configuration is not valid.
    func producer(
        _ configuration: KafkaConfiguration,
        transactionalID: String
    ) throws(KafkaError) -> any TransactionalProducer
    /// Joins a consumer group.
    ///
    /// - Throws: when a property of the configuration is not valid.
    func consumer(
        _ configuration: KafkaConfiguration,
        group: String,
        topics: [String],
        handlers: KafkaConsumer.Handlers
    ) throws(KafkaError) -> any PartitionControl
}

/// What the front asks of the cluster. Each call behaves as that of ``KafkaAdmin``.
package protocol ClusterAdmin: Sendable {
    func clusterID(timeout: Duration) throws(KafkaError) -> String
    func partitionCounts(
        _ topics: [String],
        timeout: Duration
    ) throws(KafkaError) -> [String: Result<Int, KafkaError>]
    func createTopics(
        _ names: [String],
        partitions: Int,
        replication: Int,
        configuration: [String: String],
        timeout: Duration
    ) throws(KafkaError)
    func createPartitions(of topic: String, total: Int, timeout: Duration) throws(KafkaError)
    func committedOffset(
        group: String,
        _ partition: KafkaPartition,
        timeout: Duration
    ) throws(KafkaError) -> KafkaAdmin.CommittedOffset?
}

/// What a publisher asks of its producer. Each call behaves as that of ``KafkaTransactionalProducer``.
package protocol TransactionalProducer: AnyObject {
    var failures: [KafkaTransactionalProducer.Failure] { get }
    func initTransactions(timeout: Duration) throws(KafkaError)
    func begin() throws(KafkaError)
    func produce(
        topic: String,
        key: [UInt8]?,
        value: [UInt8]?,
        headers: [KafkaHeader],
        partition: Int32?,
        timestamp: Int64?,
        record: UInt64
    ) throws(KafkaError)
    func flush(timeout: Duration) throws(KafkaError)
    func sendOffsets(
        group: String,
        _ offsets: [KafkaTransactionalProducer.Offset],
        timeout: Duration
    ) throws(KafkaError)
    func commit(timeout: Duration) throws(KafkaError)
    func abort(timeout: Duration) throws(KafkaError)
}

/// The clients of production.
struct LibrdkafkaClients: KafkaClients {
    func admin(_ configuration: KafkaConfiguration) throws(KafkaError) -> any ClusterAdmin {
        try KafkaAdmin(configuration)
    }

    func producer(
        _ configuration: KafkaConfiguration,
        transactionalID: String
    ) throws(KafkaError) -> any TransactionalProducer {
        try KafkaTransactionalProducer(configuration, transactionalID: transactionalID)
    }

    func consumer(
        _ configuration: KafkaConfiguration,
        group: String,
        topics: [String],
        handlers: KafkaConsumer.Handlers
    ) throws(KafkaError) -> any PartitionControl {
        try KafkaConsumer(configuration, group: group, topics: topics, handlers: handlers)
    }
}

extension KafkaAdmin: ClusterAdmin {}
extension KafkaTransactionalProducer: TransactionalProducer {}
