public import SagamoreEngine
public import SagamoreKafkaClient

/// A Kafka cluster in memory: topics, transactions, groups. It has no thread and no clock, and does nothing by itself.
///
/// Unchecked: the whole world runs in one thread.
public final class SimulatedBroker: @unchecked Sendable {
    struct Topic {
        /// Differs when a topic is deleted and created again.
        let incarnation: Int
        var largestBatch = 1_048_588
        /// How far a record's timestamp may be behind and ahead of the broker's clock, in milliseconds.
        var timestampsBehind = Int64.max
        var timestampsAhead = Int64.max
        var partitions: [PartitionLog]
    }

    /// What goes wrong; asked before each operation.
    public var fault: (BrokerOperation) -> BrokerFault = { _ in .none }
    private var observers: [(isAlive: () -> Bool, ring: () -> Void)] = []
    /// A group's member that was not heard for longer is removed.
    public var sessionLimit = Interval.seconds(10)

    let now: () -> Instant
    var topics: [String: Topic] = [:]
    var coordinators: [String: Coordinator] = [:]
    var groups: [String: ConsumerGroup] = [:]
    private var lastNumber = 0

    /// - Parameter now: the broker's clock.
    public init(now: @escaping () -> Instant) { self.now = now }

    /// A number that no other caller gets.
    func nextNumber() -> Int {
        lastNumber += 1
        return lastNumber
    }

    /// Calls `ring` when records become visible or a group changes, as long as the observer lives.
    func observe(_ isAlive: @escaping () -> Bool, _ ring: @escaping () -> Void) { observers.append((isAlive, ring)) }

    func forgetObservers() { observers.removeAll { !$0.isAlive() } }

    func notifyObservers() {
        forgetObservers()
        for observer in observers { observer.ring() }
    }

    var milliseconds: Int64 { now().nanoseconds / 1_000_000 }

    // MARK: Topics

    /// Creates a topic; false when it exists.
    @discardableResult
    public func createTopic(_ name: String, partitions: Int, settings: [String: String] = [:]) -> Bool {
        guard topics[name] == nil else { return false }
        var topic = Topic(
            incarnation: nextNumber(),
            partitions: Array(repeating: PartitionLog(), count: partitions)
        )
        if let limit = settings["max.message.bytes"].flatMap({ Int($0) }) { topic.largestBatch = limit }
        if let limit = settings["message.timestamp.before.max.ms"].flatMap({ Int64($0) }) {
            topic.timestampsBehind = limit
        }
        if let limit = settings["message.timestamp.after.max.ms"].flatMap({ Int64($0) }) {
            topic.timestampsAhead = limit
        }
        topics[name] = topic
        notifyObservers()
        return true
    }

    /// Deletes a topic with its records, and the offsets that groups have committed for it.
    public func deleteTopic(_ name: String) {
        guard topics.removeValue(forKey: name) != nil else { return }
        for group in groups.keys.sorted() { groups[group]?.forgetOffsets(of: name) }
        for id in coordinators.keys {
            coordinators[id]?.transaction?.partitions.removeAll { $0.topic == name }
        }
        notifyObservers()
    }

    func addPartitions(_ name: String, total: Int) throws(KafkaError) {
        guard let count = topics[name]?.partitions.count else { throw BrokerError.unknownTopic }
        guard total > count else { throw BrokerError.invalidPartitions }
        topics[name]?.partitions += Array(repeating: PartitionLog(), count: total - count)
        notifyObservers()
    }

    /// The topics, by name.
    public var topicNames: [String] { topics.keys.sorted() }

    /// The number of a topic's partitions; nil when it does not exist.
    public func partitionCount(_ topic: String) -> Int? { topics[topic]?.partitions.count }

    // MARK: Records

    /// Writes a record outside of transactions, as another program's producer does. Called again for a producer that
    /// retries.
    ///
    /// - Returns: where it was written; nil when the topic does not exist.
    @discardableResult
    public func append(
        topic: String,
        key: [UInt8]?,
        value: [UInt8]?,
        headers: [KafkaHeader] = [],
        partition: Int32? = nil
    ) -> (partition: Int32, offset: Int64)? {
        guard let partition = self.partition(topic, key: key, partition) else { return nil }
        guard let offset = topics[topic]?.partitions[Int(partition)].end else { return nil }
        let record = KafkaRecord(
            topic: topic,
            partition: partition,
            offset: offset,
            key: key,
            value: value,
            headers: headers,
            timestamp: milliseconds
        )
        topics[topic]?.partitions[Int(partition)].append(record, nil)
        notifyObservers()
        return (partition, offset)
    }

    /// The partition of a record; nil when there is none.
    func partition(_ topic: String, key: [UInt8]?, _ given: Int32?) -> Int32? {
        guard let count = topics[topic]?.partitions.count, count > 0 else { return nil }
        if let given { return given < count ? given : nil }
        guard let key else { return Int32(nextNumber() % count) }
        return Int32(murmur2(key) & 0x7FFF_FFFF) % Int32(count)
    }

    func log(_ partition: KafkaPartition) -> PartitionLog? {
        guard let topic = topics[partition.topic], partition.partition < topic.partitions.count else { return nil }
        return topic.partitions[Int(partition.partition)]
    }

    /// The records of a topic that a `read_committed` consumer can read now, by partition and offset.
    public func committedRecords(_ topic: String) -> [KafkaRecord] {
        (topics[topic]?.partitions ?? []).flatMap { $0.read(from: 0, limit: .max).records }
    }

    /// Removes records, as retention does.
    public func removeRecords(of partition: KafkaPartition, before offset: Int64) {
        guard log(partition) != nil else { return }
        topics[partition.topic]?.partitions[Int(partition.partition)].removeRecords(before: offset)
    }

    /// Removes the newest records, as an unclean election of a leader does.
    public func truncate(_ partition: KafkaPartition, to offset: Int64) {
        guard log(partition) != nil else { return }
        topics[partition.topic]?.partitions[Int(partition.partition)].truncate(to: offset)
    }

    // MARK: Offsets

    /// A group's committed offset for a partition.
    public func committedOffset(group: String, _ partition: KafkaPartition) -> KafkaAdmin.CommittedOffset? {
        groups[group]?.offsets[partition]
    }

    /// Removes a group's offsets, as happens after it was idle for long.
    public func expireOffsets(group: String) { groups[group]?.offsets = [:] }

    /// Whether an open transaction is about to change a group's offset for one of these partitions.
    func isUnstable(group: String, _ partitions: [KafkaPartition]) -> Bool {
        coordinators.values.contains { coordinator in
            guard let transaction = coordinator.transaction, transaction.state == .open else { return false }
            return transaction.offsets.contains { $0.group == group && partitions.contains($0.partition) }
        }
    }
}
