/// Writes protobuf's binary form from back to front.
///
/// Later writes come earlier in the result. So a length is known when it is written, and no message has to be measured
/// first. Write fields in descending order of their numbers to get them ascending.
///
///     var writer = ProtobufWriter()
///     writer.string(2, "second field")
///     writer.int64(1, 1)
///     let bytes = writer.bytes()
public struct ProtobufWriter: ~Copyable {
    private var base: UnsafeMutablePointer<UInt8>
    private var capacity: Int
    /// The offset of the first written byte.
    private var position: Int

    /// Creates an empty writer with an initial capacity in bytes.
    public init(capacity: Int = 512) {
        self.capacity = max(capacity, 16)
        self.base = .allocate(capacity: self.capacity)
        self.position = self.capacity
    }

    deinit { self.base.deallocate() }

    /// The number of written bytes.
    public var count: Int { self.capacity - self.position }

    /// All written bytes.
    public func bytes() -> [UInt8] {
        Array(UnsafeBufferPointer(start: self.base + self.position, count: self.count))
    }

    /// Calls `body` with the written bytes, valid during the call.
    public func withBytes<Result, Failure: Error>(
        _ body: (UnsafeRawBufferPointer) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try body(UnsafeRawBufferPointer(start: self.base + self.position, count: self.count))
    }

    /// Discards the written bytes and keeps the memory.
    public mutating func removeAll() { self.position = self.capacity }

    // MARK: Without a tag

    /// Prepends raw bytes.
    public mutating func raw(_ bytes: [UInt8]) {
        if bytes.isEmpty { return }
        bytes.withUnsafeBytes { self.raw($0) }
    }

    /// Prepends raw bytes.
    public mutating func raw(_ bytes: UnsafeRawBufferPointer) {
        guard let source = bytes.baseAddress else { return }
        self.reserve(bytes.count)
        self.position -= bytes.count
        UnsafeMutableRawPointer(self.base + self.position).copyMemory(from: source, byteCount: bytes.count)
    }

    /// Prepends a varint.
    public mutating func varint(_ value: UInt64) {
        self.reserve(10)
        if value < 0x80 {
            self.position -= 1
            self.base[self.position] = UInt8(truncatingIfNeeded: value)
            return
        }
        let count = (64 - value.leadingZeroBitCount + 6) / 7
        self.position -= count
        var rest = value
        for index in 0..<(count - 1) {
            self.base[self.position + index] = UInt8(truncatingIfNeeded: rest) | 0x80
            rest >>= 7
        }
        self.base[self.position + count - 1] = UInt8(truncatingIfNeeded: rest)
    }

    /// Prepends the four bytes of a `fixed32`, `sfixed32` or `float`.
    public mutating func fourBytes(_ value: UInt32) {
        withUnsafeBytes(of: value.littleEndian) { self.raw($0) }
    }

    /// Prepends the eight bytes of a `fixed64`, `sfixed64` or `double`.
    public mutating func eightBytes(_ value: UInt64) {
        withUnsafeBytes(of: value.littleEndian) { self.raw($0) }
    }

    /// Prepends a tag. Its value must have been written before.
    public mutating func tag(_ field: Int, _ wireType: ProtobufWireType) {
        self.varint(UInt64(field) << 3 | UInt64(wireType.rawValue))
    }

    private mutating func reserve(_ count: Int) {
        if self.position < count { self.grow(count) }
    }

    @inline(never)
    private mutating func grow(_ count: Int) {
        let used = self.count
        let newCapacity = max(self.capacity * 2, self.capacity + count)
        let newBase = UnsafeMutablePointer<UInt8>.allocate(capacity: newCapacity)
        (newBase + newCapacity - used).update(from: self.base + self.position, count: used)
        self.base.deallocate()
        self.base = newBase
        self.capacity = newCapacity
        self.position = newCapacity - used
    }
}
