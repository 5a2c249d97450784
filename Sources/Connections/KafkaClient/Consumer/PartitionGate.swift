/// Which partitions are paused, and what of them has been fetched already. Pure.
///
/// librdkafka's own pause throws away what it has fetched, and a resume fetches it again, some 100 ms later. So a
/// paused partition's records are kept here first; only when they are many is the partition paused *in the client*
/// as well, which bounds the memory.
struct PartitionGate {
    /// A partition's records that are kept, before the client is paused as well.
    let recordLimit: Int
    let byteLimit: Int

    private struct Kept {
        var records: [KafkaRecord] = []
        var bytes = 0
        /// The offset after the last record, once the client has said that there are no more.
        var end: Int64?
        var isPausedInClient = false
    }
    /// The paused partitions.
    private var paused: [KafkaPartition: Kept] = [:]
    /// Partitions that keep so much that the client has to be paused.
    private(set) var overfull: [KafkaPartition] = []

    init(recordLimit: Int, byteLimit: Int) {
        self.recordLimit = recordLimit
        self.byteLimit = byteLimit
    }

    /// True while no partition is paused, which is the usual case.
    var isOpen: Bool { paused.isEmpty }

    mutating func pause(_ partition: KafkaPartition) {
        if paused[partition] == nil { paused[partition] = Kept() }
    }

    /// Keeps a record of a paused partition; false when the partition is not paused and the record is to be handed
    /// over.
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

    /// Keeps the news that a paused partition has no more records; false when it can be told at once.
    mutating func keepEnd(_ partition: KafkaPartition, at offset: Int64) -> Bool {
        guard let kept = paused[partition], !kept.records.isEmpty else { return false }
        paused[partition]?.end = offset
        return true
    }

    /// Takes the partitions that have to be paused in the client now.
    mutating func takeOverfull() -> [KafkaPartition] {
        for partition in overfull { paused[partition]?.isPausedInClient = true }
        defer { overfull = [] }
        return overfull
    }

    /// What a resumed partition has kept, to be handed over before anything else of it.
    struct Released {
        var records: [KafkaRecord] = []
        var end: Int64?
        /// The client has to be resumed as well.
        var isPausedInClient = false
    }

    mutating func resume(_ partition: KafkaPartition) -> Released {
        overfull.removeAll { $0 == partition }
        guard let kept = paused.removeValue(forKey: partition) else { return Released() }
        return Released(records: kept.records, end: kept.end, isPausedInClient: kept.isPausedInClient)
    }

    /// Forgets partitions that are given up; what was kept of them is read again by the next owner.
    mutating func revoke(_ partitions: [KafkaPartition]) {
        for partition in partitions { _ = resume(partition) }
    }
}
