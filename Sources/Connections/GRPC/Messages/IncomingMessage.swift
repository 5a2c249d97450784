/// The message of a request or a response, assembled from its pieces: a flag byte that says whether it is compressed,
/// its length in four bytes, and its content.
///
/// The owner calls `deallocate()` when the message is not needed any more.
struct IncomingMessage {
    private var prefix: UInt64 = 0
    private var prefixCount = 0
    private var length = 0
    private var count = 0
    private var storage = UnsafeMutableRawBufferPointer(start: nil, count: 0)
    /// Bounds the requests of all connections; nil for a response, which its caller waits for.
    private let memory: RequestMemory?
    /// The bytes that are reserved from `memory`.
    private var reserved = 0

    /// The message of a request.
    init(_ memory: RequestMemory) { self.memory = memory }

    /// The message of a response.
    init() { memory = nil }

    private var name: String { memory == nil ? "response" : "request" }

    private static let prefixLength = 5
    /// The first allocation. Memory grows with the bytes received, not with the length announced.
    private static let firstCapacity = 64 * 1024

    /// Whether the message is compressed.
    var isPacked: Bool { prefix >> 32 & 0xFF == 1 }
    /// Whether the message is complete.
    var isComplete: Bool { prefixCount == Self.prefixLength && count == length }
    /// Whether nothing has arrived.
    var isEmpty: Bool { prefixCount == 0 }
    /// The bytes of the message that have arrived.
    var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(storage)[..<count]) }

    /// Adds the next piece.
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
            guard prefix >> 32 <= 1 else { throw GRPCStatus(.internalError, "the \(name) is not a gRPC message") }
            guard length <= limit else {
                throw GRPCStatus(
                    .resourceExhausted,
                    "grpc: received message larger than max (\(length) vs. \(limit))"
                )
            }
        }
        guard !piece.isEmpty else { return }
        guard piece.count <= length - count else {
            throw GRPCStatus(
                memory == nil ? .internalError : .unimplemented,
                "the \(name) has more than one message, but the method is unary"
            )
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

    /// Changes the reservation to the new capacity.
    private mutating func reserve(_ capacity: Int) throws(GRPCStatus) {
        guard let memory, capacity > memory.smallSize else { return }
        try memory.reserve(capacity - reserved)
        reserved = capacity
    }

    /// Replaces the compressed message with the decompressed one.
    ///
    /// - Throws: RESOURCE_EXHAUSTED when large requests hold too much memory already. The new message is freed then.
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

    /// Frees the bytes and their reservation. The message is empty then.
    mutating func deallocate() {
        storage.deallocate()
        storage = UnsafeMutableRawBufferPointer(start: nil, count: 0)
        count = 0
        if reserved > 0 { memory?.release(reserved) }
        reserved = 0
    }
}
