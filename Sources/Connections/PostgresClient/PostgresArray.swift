/// A one-dimensional array in PostgreSQL's binary form, for `unnest($1::bytea[], …)`.
///
/// Elements are encoded directly into the bytes that are sent. They are copied only when a shared value changes.
public struct PostgresArray: Sendable {
    /// The type of the elements.
    public struct ElementType: Hashable, Sendable {
        /// The type's name in SQL.
        public let name: String
        /// The type's object id, the same in every PostgreSQL.
        let oid: UInt32
        /// The expected size of an element, to reserve memory.
        let expectedSize: Int

        /// `bool`
        public static let bool = ElementType(name: "bool", oid: 16, expectedSize: 1)
        /// `bytea`
        public static let bytea = ElementType(name: "bytea", oid: 17, expectedSize: 64)
        /// `int8`
        public static let int64 = ElementType(name: "int8", oid: 20, expectedSize: 8)
        /// `int4`
        public static let int32 = ElementType(name: "int4", oid: 23, expectedSize: 4)
        /// `text`
        public static let text = ElementType(name: "text", oid: 25, expectedSize: 32)
        /// `uuid`
        public static let uuid = ElementType(name: "uuid", oid: 2950, expectedSize: 16)
    }

    /// The header's offsets of the NULL flag and the number of elements.
    private static let nullFlagOffset = 4
    private static let countOffset = 12

    /// The type of the elements.
    public let elementType: ElementType
    /// The number of elements, including NULLs.
    public private(set) var count = 0
    private(set) var storage: ByteStorage

    /// Creates an empty array for `capacity` expected elements.
    public init(of elementType: ElementType, capacity: Int = 0) {
        self.elementType = elementType
        storage = ByteStorage(capacity: 20 + capacity * (4 + elementType.expectedSize))
        storage.append(UInt32(1))  // dimensions
        storage.append(UInt32(0))  // no NULL so far
        storage.append(elementType.oid)
        storage.append(UInt32(0))  // elements
        storage.append(UInt32(1))  // SQL counts from 1
    }

    /// Adds an `int8`.
    public mutating func append(_ value: Int64) {
        begin(.int64, 8)
        storage.append(UInt64(bitPattern: value))
    }

    /// Adds an `int4`.
    public mutating func append(_ value: Int32) {
        begin(.int32, 4)
        storage.append(UInt32(bitPattern: value))
    }

    /// Adds a `bool`.
    public mutating func append(_ value: Bool) {
        begin(.bool, 1)
        storage.append(UInt8(value ? 1 : 0))
    }

    /// Adds a `text`.
    public mutating func append(_ value: String) {
        var value = value
        value.withUTF8 { utf8 in
            begin(.text, utf8.count)
            storage.append(UnsafeRawBufferPointer(utf8))
        }
    }

    /// Adds a `bytea`.
    public mutating func append(_ value: [UInt8]) {
        value.withUnsafeBytes { bytes in
            begin(.bytea, bytes.count)
            storage.append(bytes)
        }
    }

    /// Adds a `uuid`: its first and last eight bytes as big-endian numbers.
    public mutating func append(uuidHigh high: UInt64, low: UInt64) {
        begin(.uuid, 16)
        storage.append(high)
        storage.append(low)
    }

    /// Adds a NULL.
    public mutating func appendNull() {
        begin(elementType, -1)
        storage.store(1, at: Self.nullFlagOffset)
    }

    private mutating func begin(_ type: ElementType, _ size: Int) {
        precondition(type == elementType, "an element of another type in a PostgreSQL array")
        if !isKnownUniquelyReferenced(&storage) { storage = ByteStorage(copying: storage) }
        count += 1
        storage.store(UInt32(truncatingIfNeeded: count), at: Self.countOffset)
        storage.append(UInt32(truncatingIfNeeded: size))
    }
}

/// A growing buffer with a stable address between appends.
///
/// Unchecked: shared storage is never written, since `PostgresArray` copies it first.
final class ByteStorage: @unchecked Sendable {
    private(set) var base: UnsafeMutableRawPointer
    private(set) var count = 0
    private var capacity: Int

    init(capacity: Int) {
        self.capacity = max(capacity, 64)
        base = .allocate(byteCount: self.capacity, alignment: 16)
    }

    init(copying other: ByteStorage) {
        capacity = max(other.count * 2, 64)
        base = .allocate(byteCount: capacity, alignment: 16)
        base.copyMemory(from: other.base, byteCount: other.count)
        count = other.count
    }

    deinit { base.deallocate() }

    /// Adds a number, big-endian.
    func append<Number: FixedWidthInteger>(_ value: Number) {
        let size = MemoryLayout<Number>.size
        reserve(size)
        base.storeBytes(of: value.bigEndian, toByteOffset: count, as: Number.self)
        count += size
    }

    func append(_ byte: UInt8) {
        reserve(1)
        base.storeBytes(of: byte, toByteOffset: count, as: UInt8.self)
        count += 1
    }

    func append(_ bytes: UnsafeRawBufferPointer) {
        guard let source = bytes.baseAddress else { return }
        reserve(bytes.count)
        (base + count).copyMemory(from: source, byteCount: bytes.count)
        count += bytes.count
    }

    /// Overwrites a number, big-endian.
    func store(_ value: UInt32, at offset: Int) {
        base.storeBytes(of: value.bigEndian, toByteOffset: offset, as: UInt32.self)
    }

    @inline(__always)
    private func reserve(_ size: Int) {
        if count + size > capacity { grow(size) }
    }

    @inline(never)
    private func grow(_ size: Int) {
        capacity = max(capacity * 2, count + size)
        let larger = UnsafeMutableRawPointer.allocate(byteCount: capacity, alignment: 16)
        larger.copyMemory(from: base, byteCount: count)
        base.deallocate()
        base = larger
    }
}
