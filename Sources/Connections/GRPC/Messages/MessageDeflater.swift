internal import CSagamoreDeflate

/// Compresses messages. One compressor is reused for all, because setting one up costs more than a message.
///
/// Belongs to one thread.
final class MessageDeflater {
    private let compressor: OpaquePointer

    /// The fastest level: requests are small, and most of the gain comes with it.
    private static let level: Int32 = 1

    init() {
        guard let compressor = libdeflate_alloc_compressor(Self.level) else { fatalError("out of memory") }
        self.compressor = compressor
    }

    deinit { libdeflate_free_compressor(compressor) }

    /// The message as gzip; nil when that would be no smaller.
    func gzip(_ bytes: [UInt8]) -> [UInt8]? {
        let packed = [UInt8](unsafeUninitializedCapacity: bytes.count) { place, count in
            count = libdeflate_gzip_compress(compressor, bytes, bytes.count, place.baseAddress, place.count)
        }
        return packed.isEmpty ? nil : packed
    }
}
