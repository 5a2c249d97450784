internal import CSagamoreRdKafka

/// A record to enqueue in librdkafka, which copies it.
struct OutgoingRecord {
    var topic: String
    var key: [UInt8]?
    var value: [UInt8]?
    var headers: [KafkaHeader]
    var partition: Int32?
    var timestamp: Int64?

    /// Enqueues the record. `opaque` is returned with the delivery report. Nothing is enqueued when it returns an
    /// error.
    func enqueue(on client: OpaquePointer, flags: Int32, opaque: UnsafeMutableRawPointer?) -> KafkaError? {
        topic.withCString { topicName in
            Self.lend(key) { key in
                Self.lend(value) { value in
                    enqueue(client, topicName, key, value, flags | RD_KAFKA_MSG_F_COPY, opaque)
                }
            }
        }
    }

    private func enqueue(
        _ client: OpaquePointer,
        _ topicName: UnsafePointer<CChar>,
        _ key: UnsafeRawBufferPointer?,
        _ value: UnsafeRawBufferPointer?,
        _ flags: Int32,
        _ opaque: UnsafeMutableRawPointer?
    ) -> KafkaError? {
        withUnsafeTemporaryAllocation(of: rd_kafka_vu_t.self, capacity: 8) { arguments in
            var count = 0
            func add(_ type: rd_kafka_vtype_t, _ set: (inout rd_kafka_vu_t) -> Void) {
                var argument = rd_kafka_vu_t()
                argument.vtype = type
                set(&argument)
                arguments.initializeElement(at: count, to: argument)
                count += 1
            }
            add(RD_KAFKA_VTYPE_TOPIC) { $0.u.cstr = topicName }
            add(RD_KAFKA_VTYPE_MSGFLAGS) { $0.u.i = flags }
            add(RD_KAFKA_VTYPE_OPAQUE) { $0.u.ptr = opaque }
            if let key {
                add(RD_KAFKA_VTYPE_KEY) {
                    $0.u.mem.ptr = UnsafeMutableRawPointer(mutating: key.baseAddress)
                    $0.u.mem.size = key.count
                }
            }
            if let value {
                add(RD_KAFKA_VTYPE_VALUE) {
                    $0.u.mem.ptr = UnsafeMutableRawPointer(mutating: value.baseAddress)
                    $0.u.mem.size = value.count
                }
            }
            if let partition { add(RD_KAFKA_VTYPE_PARTITION) { $0.u.i32 = partition } }
            if let timestamp { add(RD_KAFKA_VTYPE_TIMESTAMP) { $0.u.i64 = timestamp } }
            let list = nativeHeaders()
            if let list { add(RD_KAFKA_VTYPE_HEADERS) { $0.u.headers = list } }
            let error = KafkaError(consuming: rd_kafka_produceva(client, arguments.baseAddress, count))
            // librdkafka owns the headers, unless it refused the record.
            if error != nil, let list { rd_kafka_headers_destroy(list) }
            return error
        }
    }

    private func nativeHeaders() -> OpaquePointer? {
        guard !headers.isEmpty else { return nil }
        let list = rd_kafka_headers_new(headers.count)
        for header in headers {
            Self.lend(header.value) { value in
                _ = rd_kafka_header_add(list, header.name, -1, value?.baseAddress, value?.count ?? 0)
            }
        }
        return list
    }

    /// Passes bytes at an address that is null only for nil: an empty array has no address of its own.
    private static func lend<Result>(_ bytes: [UInt8]?, _ body: (UnsafeRawBufferPointer?) -> Result) -> Result {
        guard let bytes else { return body(nil) }
        if bytes.isEmpty {
            var nothing: UInt8 = 0
            return withUnsafeBytes(of: &nothing) { body(UnsafeRawBufferPointer(start: $0.baseAddress, count: 0)) }
        }
        return bytes.withUnsafeBytes { body($0) }
    }
}
