internal import CSagamoreDeflate
internal import SagamoreGRPC

/// Unpacks compressed requests. Go's clients compress whatever they send, so one decompressor serves for all of them:
/// setting one up takes longer than all the rest that is done to a message's bytes.
///
/// Belongs to one thread.
final class MessageInflater {
    /// A message that was unpacked; its bytes are freed by `deallocate()`.
    typealias Message = UnsafeMutableRawBufferPointer

    enum Algorithm {
        case gzip, deflate
    }

    private let decompressor: OpaquePointer
    private let limit: Int

    /// - Parameter limit: the largest message in bytes, unpacked.
    init(limit: Int) {
        guard let decompressor = libdeflate_alloc_decompressor() else { fatalError("there is no memory") }
        self.decompressor = decompressor
        self.limit = limit
    }

    deinit { libdeflate_free_decompressor(decompressor) }

    /// Unpacks a message.
    ///
    /// - Throws: RESOURCE_EXHAUSTED where it is larger than the limit, INTERNAL where it can't be unpacked.
    func inflate(
        _ bytes: UnsafeRawBufferPointer,
        _ algorithm: Algorithm
    ) throws(GRPCStatus) -> Message {
        var capacity = min(limit, max(4 * bytes.count, 1 << 10))
        if algorithm == .gzip, let size = Self.sizeInTrailer(bytes) {
            guard size <= limit else { throw tooLarge }
            // The size is the sender's word: what is wrong with it shows below.
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
                throw GRPCStatus(.internalError, "the request's compressed bytes can't be unpacked")
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

    /// In the words that servers in Go use.
    private var tooLarge: GRPCStatus {
        GRPCStatus(.resourceExhausted, "grpc: received message after decompression larger than max \(limit)")
    }

    /// A gzip stream ends with the size of what was packed, modulo 2³².
    private static func sizeInTrailer(_ bytes: UnsafeRawBufferPointer) -> Int? {
        guard bytes.count >= 18 else { return nil }
        return bytes.suffix(4).reversed().reduce(0) { $0 << 8 | Int($1) }
    }
}
