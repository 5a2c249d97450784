internal import CSagamoreGRPC

/// Converts between Swift bytes and the C core's slices.
enum Slices {
    /// A slice with a copy of `bytes`. The caller unrefs it.
    static func copy(_ bytes: [UInt8]) -> grpc_slice {
        bytes.withUnsafeBytes { copy($0) }
    }

    /// A slice with a copy of `bytes`. The caller unrefs it.
    static func copy(_ bytes: UnsafeRawBufferPointer) -> grpc_slice {
        var slice = grpc_slice_malloc(bytes.count)
        if let source = bytes.baseAddress {
            csagamore_slice_mutable_bytes(&slice).update(
                from: source.assumingMemoryBound(to: UInt8.self),
                count: bytes.count
            )
        }
        return slice
    }

    /// A slice with a copy of `text`'s UTF-8. The caller unrefs it.
    static func copy(_ text: String) -> grpc_slice {
        var text = text
        return text.withUTF8 { copy(UnsafeRawBufferPointer($0)) }
    }

    /// The bytes of a slice, copied.
    static func bytes(_ slice: grpc_slice) -> [UInt8] {
        withBytes(slice) { Array($0) }
    }

    /// The text of a slice; invalid UTF-8 is replaced.
    static func text(_ slice: grpc_slice) -> String {
        withBytes(slice) { String(decoding: $0, as: UTF8.self) }
    }

    static func withBytes<Result>(_ slice: grpc_slice, _ body: (UnsafeRawBufferPointer) -> Result) -> Result {
        withUnsafePointer(to: slice) { pointer in
            body(
                UnsafeRawBufferPointer(
                    start: csagamore_slice_bytes(pointer),
                    count: csagamore_slice_length(pointer)
                )
            )
        }
    }

    /// A message buffer. The caller destroys it.
    static func message(_ bytes: [UInt8]) -> UnsafeMutablePointer<grpc_byte_buffer>? {
        var slice = copy(bytes)
        let buffer = grpc_raw_byte_buffer_create(&slice, 1)
        grpc_slice_unref(slice)
        return buffer
    }

    /// The bytes of a received message.
    static func bytes(of message: UnsafeMutablePointer<grpc_byte_buffer>) -> [UInt8] {
        let length = grpc_byte_buffer_length(message)
        var reader = grpc_byte_buffer_reader()
        guard length > 0, grpc_byte_buffer_reader_init(&reader, message) != 0 else { return [] }
        defer { grpc_byte_buffer_reader_destroy(&reader) }
        return [UInt8](unsafeUninitializedCapacity: length) { target, count in
            var piece: UnsafeMutablePointer<grpc_slice>?
            while grpc_byte_buffer_reader_peek(&reader, &piece) != 0, let piece {
                let size = csagamore_slice_length(piece)
                precondition(count + size <= length, "a message is longer than it says")
                if size > 0, let start = target.baseAddress {
                    (start + count).initialize(from: csagamore_slice_bytes(piece), count: size)
                }
                count += size
            }
        }
    }

    /// Calls `body` with the entries in the C core's form. The C core retains what it keeps.
    static func withMetadata<Result>(
        _ entries: [(key: String, value: [UInt8])],
        _ body: (UnsafeMutableBufferPointer<grpc_metadata>) -> Result
    ) -> Result {
        var list = entries.map { entry in
            var metadata = grpc_metadata()
            metadata.key = copy(entry.key)
            metadata.value = copy(entry.value)
            return metadata
        }
        defer {
            for metadata in list {
                grpc_slice_unref(metadata.key)
                grpc_slice_unref(metadata.value)
            }
        }
        return list.withUnsafeMutableBufferPointer { body($0) }
    }

    /// Calls `body` with the value of the first entry for `key`.
    static func find<Result>(
        _ key: String,
        in metadata: grpc_metadata_array,
        _ body: (grpc_slice) -> Result
    ) -> Result? {
        var key = key
        return key.withUTF8 { wanted in
            for index in 0..<metadata.count {
                let entry = metadata.metadata[index]
                let same = withBytes(entry.key) { name in
                    name.count == wanted.count && name.elementsEqual(wanted)
                }
                if same { return body(entry.value) }
            }
            return nil
        }
    }
}
