internal import CSagamoreRdKafka
internal import Glibc

/// Converts librdkafka's messages to records. It caches topic names, so that records share one string.
struct RecordReader {
    private var names: [(native: [CChar], name: String)] = []

    mutating func read(_ message: UnsafePointer<rd_kafka_message_t>) -> KafkaRecord {
        var kind = RD_KAFKA_TIMESTAMP_NOT_AVAILABLE
        let timestamp = rd_kafka_message_timestamp(message, &kind)
        return KafkaRecord(
            topic: topic(of: message),
            partition: message.pointee.partition,
            offset: message.pointee.offset,
            key: Self.bytes(message.pointee.key, message.pointee.key_len),
            value: Self.bytes(message.pointee.payload, message.pointee.len),
            headers: Self.headers(of: message),
            timestamp: kind == RD_KAFKA_TIMESTAMP_NOT_AVAILABLE ? nil : timestamp
        )
    }

    private mutating func topic(of message: UnsafePointer<rd_kafka_message_t>) -> String {
        guard let handle = message.pointee.rkt, let native = rd_kafka_topic_name(handle) else { return "" }
        if let known = names.first(where: { strcmp($0.native, native) == 0 }) { return known.name }
        let name = String(cString: native)
        // A consumer reads few topics; beyond the limit, names are not cached.
        if names.count < 64 { names.append((Array(name.utf8CString), name)) }
        return name
    }

    static func bytes(_ start: UnsafeRawPointer?, _ count: Int) -> [UInt8]? {
        start.map { Array(UnsafeRawBufferPointer(start: $0, count: count)) }
    }

    private static func headers(of message: UnsafePointer<rd_kafka_message_t>) -> [KafkaHeader] {
        var list: OpaquePointer?
        guard rd_kafka_message_headers(message, &list) == RD_KAFKA_RESP_ERR_NO_ERROR, let list else { return [] }
        let count = rd_kafka_header_cnt(list)
        var headers: [KafkaHeader] = []
        headers.reserveCapacity(count)
        for index in 0..<count {
            var name: UnsafePointer<CChar>?
            var value: UnsafeRawPointer?
            var size = 0
            guard rd_kafka_header_get_all(list, index, &name, &value, &size) == RD_KAFKA_RESP_ERR_NO_ERROR, let name
            else { break }
            headers.append(KafkaHeader(String(cString: name), bytes(value, size)))
        }
        return headers
    }
}
