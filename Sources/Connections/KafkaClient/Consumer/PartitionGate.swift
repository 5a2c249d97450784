/// Which partitions are paused, and their records that were already fetched. Pure.
///
/// librdkafka's own pause discards fetched records, and a resume fetches them again, about 100 ms later. So records of
/// a paused partition are kept here first. To bound memory, the partition is also paused *in the client* when they
/// exceed a limit.
struct PartitionGate {
    /// The records to keep of a partition before it is paused in the client.
    let recordLimit: Int
    let byteLimit: Int

    private struct Kept {
        var records: [KafkaRecord] = []
        var bytes = 0
        /// The offset after the last record, once the client has reported the end of the partition.
        var end: Int64?
        var isPausedInClient = false
    }
    /// The paused partitions.
    private var paused: [KafkaPartition: Kept] = [:]
    /// Partitions that exceed a limit and must be paused in the client.
    private(set) var overfull: [KafkaPartition] = []

    init(recordLimit: Int, byteLimit: Int) {
        self.recordLimit = recordLimit
        self.byteLimit = byteLimit
    }

    /// True while no partition is paused: the common case.
    var isOpen: Bool { paused.isEmpty }

    mutating func pause(_ partition: KafkaPartition) {
        if paused[partition] == nil { paused[partition] = Kept() }
    }

    /// Keeps a record of a paused partition. Returns false when the partition is not paused: deliver the record.
    mutating func keep(_ record: KafkaRecord, bytes: Int) -> Bool {
        let partition = KafkaPartition(topic: record.topic, partition: record.partition)
        guard let index = paused.index(forKey: partition) else { return false }
        paused.values[index].records.append(record)
        paused.values[index].bytes += bytes
        paused.values[index].end = nil
        let kept = paused.values[index]
        let isFull = kept.records.count >= recordLimit || kept.bytes >= byteLimit
        if isFull, !kept.isPausedInClient, !overfull.contains(partition) { overfull.append(partition) }
        return true
    }

    /// Keeps the end of a paused partition that has kept records. Returns false otherwise: report the end now.
    mutating func keepEnd(_ partition: KafkaPartition, at offset: Int64) -> Bool {
        guard let kept = paused[partition], !kept.records.isEmpty else { return false }
        paused[partition]?.end = offset
        return true
    }

    /// Takes the partitions that must be paused in the client.
    mutating func takeOverfull() -> [KafkaPartition] {
        for partition in overfull { paused[partition]?.isPausedInClient = true }
        defer { overfull = [] }
        return overfull
    }

    /// The kept records of a resumed partition, to deliver before any others of it.
    struct Released {
        var records: [KafkaRecord] = []
        var end: Int64?
        /// The partition must also be resumed in the client.
        var isPausedInClient = false
    }

    mutating func resume(_ partition: KafkaPartition) -> Released {
        overfull.removeAll { $0 == partition }
        guard let kept = paused.removeValue(forKey: partition) else { return Released() }
        return Released(records: kept.records, end: kept.end, isPausedInClient: kept.isPausedInClient)
    }

    /// Drops what was kept of partitions, which stay paused.
    mutating func discard(_ partitions: [KafkaPartition]) {
        for partition in partitions {
            overfull.removeAll { $0 == partition }
            guard let kept = paused[partition] else { continue }
            paused[partition] = Kept(isPausedInClient: kept.isPausedInClient)
        }
    }

    /// Forgets revoked partitions; the next owner reads their kept records again.
    mutating func revoke(_ partitions: [KafkaPartition]) {
        for partition in partitions { _ = resume(partition) }
    }
}
