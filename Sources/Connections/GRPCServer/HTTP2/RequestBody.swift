internal import SagamoreGRPC

/// The one message of a request, put together from the pieces in which it comes: a byte that says whether it is packed,
/// its length in four, and its bytes.
///
/// Whoever holds it calls `deallocate()` once it is not needed any more.
struct RequestBody {
    private var prefix: UInt64 = 0
    private var prefixCount = 0
    private var length = 0
    private var count = 0
    private var storage = UnsafeMutableRawBufferPointer(start: nil, count: 0)
    private let memory: RequestMemory
    /// The bytes that it holds of `memory`.
    private var reserved = 0

    init(_ memory: RequestMemory) { self.memory = memory }

    private static let prefixLength = 5
    /// A message gets its memory as its bytes come, not as its length promises: this much at first.
    private static let firstCapacity = 64 * 1024

    /// The byte before the message says that it is packed.
    var isPacked: Bool { prefix >> 32 & 0xFF == 1 }
    /// The whole message has come.
    var isComplete: Bool { prefixCount == Self.prefixLength && count == length }
    /// Nothing has come.
    var isEmpty: Bool { prefixCount == 0 }
    /// The message's bytes, as far as they have come.
    var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(storage)[..<count]) }

    /// Takes the next piece.
    ///
    /// - Parameter limit: the largest message, in bytes.
    /// - Throws: the status to answer with: RESOURCE_EXHAUSTED for a message over the limit, or when large requests
    ///   hold too much memory already; INTERNAL for bytes that are not one message.
    mutating func append(_ piece: UnsafeRawBufferPointer, limit: Int) throws(GRPCStatus) {
        var piece = piece
        while prefixCount < Self.prefixLength, let byte = piece.first {
            prefix = prefix << 8 | UInt64(byte)
            prefixCount += 1
            piece = UnsafeRawBufferPointer(rebasing: piece.dropFirst())
            guard prefixCount == Self.prefixLength else { continue }
            length = Int(prefix & 0xFFFF_FFFF)
            guard prefix >> 32 <= 1 else { throw GRPCStatus(.internalError, "the request is no gRPC message") }
            guard length <= limit else {
                throw GRPCStatus(
                    .resourceExhausted,
                    "grpc: received message larger than max (\(length) vs. \(limit))"
                )
            }
        }
        guard !piece.isEmpty else { return }
        guard piece.count <= length - count else {
            throw GRPCStatus(.unimplemented, "the call has more than one message, and the method takes one")
        }
        try makeRoom(for: piece.count)
        UnsafeMutableRawBufferPointer(rebasing: storage[count...]).copyMemory(from: piece)
        count += piece.count
    }

    private mutating func makeRoom(for more: Int) throws(GRPCStatus) {
        guard count + more > storage.count else { return }
        let capacity = min(length, max(count + more, 2 * storage.count, Self.firstCapacity))
        try reserve(capacity)
        let larger = UnsafeMutableRawBufferPointer.allocate(byteCount: capacity, alignment: 1)
        larger.copyMemory(from: bytes)
        storage.deallocate()
        storage = larger
    }

    /// Holds this much of the shared memory in place of what it holds.
    private mutating func reserve(_ capacity: Int) throws(GRPCStatus) {
        guard capacity > memory.smallSize else { return }
        try memory.reserve(capacity - reserved)
        reserved = capacity
    }

    /// Puts the unpacked message in the place of the packed one.
    ///
    /// - Throws: RESOURCE_EXHAUSTED where large requests hold too much memory already; the unpacked message is freed.
    mutating func replace(with unpacked: MessageInflater.Message) throws(GRPCStatus) {
        deallocate()
        do throws(GRPCStatus) {
            try reserve(unpacked.count)
        } catch {
            unpacked.deallocate()
            throw error
        }
        storage = unpacked
        count = unpacked.count
        length = count
        prefix &= 0xFFFF_FFFF
    }

    /// Frees the bytes; it is empty then.
    mutating func deallocate() {
        storage.deallocate()
        storage = UnsafeMutableRawBufferPointer(start: nil, count: 0)
        count = 0
        if reserved > 0 { memory.release(reserved) }
        reserved = 0
    }
}
