internal import CSagamoreRdKafka
internal import Glibc

/// librdkafka's list of partitions, for the duration of one call.
enum PartitionList {
    typealias Native = UnsafeMutablePointer<rd_kafka_topic_partition_list_t>

    /// Passes a list of `offsets` to `body`.
    static func lend<Result>(
        _ offsets: some Collection<(KafkaPartition, Int64)>,
        _ body: (Native) -> Result
    ) -> Result {
        guard let list = rd_kafka_topic_partition_list_new(Int32(offsets.count)) else {
            fatalError("no memory for a list of partitions")
        }
        defer { rd_kafka_topic_partition_list_destroy(list) }
        for (partition, offset) in offsets {
            rd_kafka_topic_partition_list_add(list, partition.topic, partition.partition).pointee.offset = offset
        }
        return body(list)
    }

    /// Passes a list of partitions without offsets to `body`.
    static func lend<Result>(_ partitions: some Collection<KafkaPartition>, _ body: (Native) -> Result) -> Result {
        lend(partitions.map { ($0, Int64(RD_KAFKA_OFFSET_INVALID)) }, body)
    }

    /// The entries of a list.
    static func entries(_ list: Native?) -> UnsafeBufferPointer<rd_kafka_topic_partition_t> {
        guard let list else { return UnsafeBufferPointer(start: nil, count: 0) }
        return UnsafeBufferPointer(start: list.pointee.elems, count: Int(list.pointee.cnt))
    }

    /// Sets the offsets of the partitions for which `offset` returns one.
    static func setOffsets(of list: Native?, _ offset: (KafkaPartition) -> Int64?) {
        guard let list, let elements = list.pointee.elems else { return }
        for index in 0..<Int(list.pointee.cnt) {
            guard let known = offset(KafkaPartition(elements[index])) else { continue }
            elements[index].offset = known
        }
    }

    /// The partitions of a list.
    static func partitions(_ list: Native?) -> [KafkaPartition] { entries(list).map(KafkaPartition.init) }
}

extension KafkaPartition {
    init(_ native: rd_kafka_topic_partition_t) {
        self.init(topic: native.topic.map { String(cString: $0) } ?? "", partition: native.partition)
    }
}

extension PartitionList {
    /// Sets the metadata that is committed with an offset; librdkafka frees it with the list.
    static func setMetadata(_ text: String, of entry: inout rd_kafka_topic_partition_t) {
        let bytes = Array(text.utf8)
        guard !bytes.isEmpty, let copy = malloc(bytes.count) else { return }
        copy.copyMemory(from: bytes, byteCount: bytes.count)
        entry.metadata = copy
        entry.metadata_size = bytes.count
    }

    /// The metadata that was committed with an offset.
    static func metadata(of entry: rd_kafka_topic_partition_t) -> String? {
        guard let start = entry.metadata, entry.metadata_size > 0 else { return nil }
        return String(decoding: UnsafeRawBufferPointer(start: start, count: entry.metadata_size), as: UTF8.self)
    }
}
