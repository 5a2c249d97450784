internal import CSagamoreDeflate

/// Decompresses messages. Go's clients compress everything they send. One decompressor is reused for all messages,
/// because setting one up costs more than the rest of a message's processing.
///
/// Belongs to one thread.
final class MessageInflater {
    /// A decompressed message; `deallocate()` frees its bytes.
    typealias Message = UnsafeMutableRawBufferPointer

    enum Algorithm {
        case gzip, deflate
    }

    private let decompressor: OpaquePointer
    private let limit: Int

    /// - Parameter limit: the largest decompressed message, in bytes.
    init(limit: Int) {
        guard let decompressor = libdeflate_alloc_decompressor() else { fatalError("out of memory") }
        self.decompressor = decompressor
        self.limit = limit
    }

    deinit { libdeflate_free_decompressor(decompressor) }

    /// Decompresses a message.
    ///
    /// - Throws: RESOURCE_EXHAUSTED when it is larger than the limit, INTERNAL when the bytes are invalid.
    func inflate(
        _ bytes: UnsafeRawBufferPointer,
        _ algorithm: Algorithm
    ) throws(GRPCStatus) -> Message {
        var capacity = min(limit, max(4 * bytes.count, 1 << 10))
        if algorithm == .gzip, let size = Self.sizeInTrailer(bytes) {
            guard size <= limit else { throw tooLarge }
            // The sender may be lying about the size; decompression checks it.
            capacity = size
        }
        while true {
            let place = Message.allocate(byteCount: max(capacity, 1), alignment: 1)
            var count = 0
            switch unpack(bytes, algorithm, place, capacity, &count) {
            case LIBDEFLATE_SUCCESS:
                return Message(rebasing: place[..<count])
            case LIBDEFLATE_INSUFFICIENT_SPACE where capacity < limit:
                place.deallocate()
                capacity = min(limit, 4 * max(capacity, 1 << 10))
            case LIBDEFLATE_INSUFFICIENT_SPACE:
                place.deallocate()
                throw tooLarge
            default:
                place.deallocate()
                throw GRPCStatus(.internalError, "the compressed message is invalid")
            }
        }
    }

    private func unpack(
        _ bytes: UnsafeRawBufferPointer,
        _ algorithm: Algorithm,
        _ place: Message,
        _ capacity: Int,
        _ count: inout Int
    ) -> libdeflate_result {
        let (from, length, to) = (bytes.baseAddress, bytes.count, place.baseAddress)
        switch algorithm {
        case .gzip:
            return libdeflate_gzip_decompress(decompressor, from, length, to, capacity, &count)
        case .deflate:
            return libdeflate_zlib_decompress(decompressor, from, length, to, capacity, &count)
        }
    }

    /// The wording of gRPC servers in Go.
    private var tooLarge: GRPCStatus {
        GRPCStatus(.resourceExhausted, "grpc: received message after decompression larger than max \(limit)")
    }

    /// A gzip stream ends with the uncompressed size, modulo 2³².
    private static func sizeInTrailer(_ bytes: UnsafeRawBufferPointer) -> Int? {
        guard bytes.count >= 18 else { return nil }
        return bytes.suffix(4).reversed().reduce(0) { $0 << 8 | Int($1) }
    }
}
