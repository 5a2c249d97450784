internal import SagamoreKafkaClient
internal import SagamoreKafkaFront

/// Requests about topics and offsets.
///
/// Unchecked: the whole world runs in one thread.
final class SimulatedAdmin: ClusterAdmin, @unchecked Sendable {
    private let connection: BrokerConnection

    init(_ connection: BrokerConnection) { self.connection = connection }

    private var broker: SimulatedBroker { connection.broker }
    private var timer: CallTimer { connection.timer }

    func clusterID(timeout: Duration) throws(KafkaError) -> String {
        try call(.clusterID, timeout) { () throws(KafkaError) in "simulated" }
    }

    func partitionCounts(
        _ topics: [String],
        timeout: Duration
    ) throws(KafkaError) -> [String: Result<Int, KafkaError>] {
        do throws(KafkaError) {
            return try call(.partitionCounts, timeout) { () throws(KafkaError) in
                var counts: [String: Result<Int, KafkaError>] = [:]
                for topic in topics {
                    let count = broker.partitionCount(topic)
                    counts[topic] = count.map { .success($0) } ?? .failure(BrokerError.unknownTopic)
                }
                return counts
            }
        } catch {
            // An error of a topic is part of the answer.
            guard error.isUnknownTopic || error.isTopicAuthorization else { throw error }
            return Dictionary(topics.map { ($0, .failure(error)) }) { first, _ in first }
        }
    }

    func createTopics(
        _ names: [String],
        partitions: Int,
        replication _: Int,
        configuration: [String: String],
        timeout: Duration
    ) throws(KafkaError) {
        try call(.createTopics, timeout) { () throws(KafkaError) in
            for name in names.sorted() {
                broker.createTopic(name, partitions: partitions, settings: configuration)
            }
        }
    }

    func createPartitions(of topic: String, total: Int, timeout: Duration) throws(KafkaError) {
        try call(.createPartitions, timeout) { () throws(KafkaError) in
            try broker.addPartitions(topic, total: total)
        }
    }

    func committedOffset(
        group: String,
        _ partition: KafkaPartition,
        timeout: Duration
    ) throws(KafkaError) -> KafkaAdmin.CommittedOffset? {
        try call(.committedOffset(group: group), timeout) { () throws(KafkaError) in
            broker.expireTransactions()
            if broker.isUnstable(group: group, [partition]) {
                timer.spend(timeout)
                throw BrokerError.unstableOffset
            }
            return broker.committedOffset(group: group, partition)
        }
    }

    private func call<Answer>(
        _ kind: BrokerOperation.Kind,
        _ timeout: Duration,
        _ body: () throws(KafkaError) -> Answer
    ) throws(KafkaError) -> Answer {
        switch connection.fault("admin", kind) {
        case .none: break
        case .slow(let interval): timer.spend(interval)
        case .unanswered(let isDone):
            timer.spend(timeout)
            if isDone { _ = try? body() }
            throw BrokerError.timedOut
        case .unreachable:
            timer.spend(timeout)
            throw BrokerError.timedOut
        case .retriable, .requiresAbort, .fenced, .fatal: throw BrokerError.coordinatorLoading
        case .refused(let refusal): throw BrokerError.refused(refusal)
        }
        return try body()
    }
}
