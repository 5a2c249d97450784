/// How a value is delimited on the wire: the low three bits of a tag.
public enum ProtobufWireType: UInt8, Sendable {
    /// Up to ten bytes of seven bits each, the lowest first.
    case varint = 0
    /// Eight bytes, the lowest first.
    case fixed64 = 1
    /// A varint, and as many bytes.
    case lengthDelimited = 2
    /// Fields up to the group's end. No longer written by anyone, but to be passed over.
    case startGroup = 3
    /// The end of a group.
    case endGroup = 4
    /// Four bytes, the lowest first.
    case fixed32 = 5
}

/// Reads protobuf's binary form from memory, field by field, with every bound checked.
///
/// A reader points into memory that it does not own: use it only while that memory stays in place, as in the body of
/// ``read(_:depth:_:)``. After an error a reader is of no further use.
///
///     while let tag = try reader.nextTag() {
///         switch tag {
///         case 10: name = try reader.string()  // field 1, length-delimited
///         default: try reader.skip()
///         }
///     }
public struct ProtobufReader {
    /// How deep messages and groups may be nested, the outermost message not counted, where nothing else is said.
    /// Protobuf's own default.
    public static let maximumDepth = 100

    var position: UnsafePointer<UInt8>
    var end: UnsafePointer<UInt8>
    /// Where the last tag begins.
    var fieldStart: UnsafePointer<UInt8>
    let origin: UnsafePointer<UInt8>
    /// How many more levels may be entered.
    var depth: Int
    /// The last tag that was read.
    var tag: UInt32 = 0

    /// Reads from `bytes`, which must stay in place as long as the reader is used.
    ///
    /// - Parameter depth: how deep messages and groups may be nested. More than the default only for bytes that this
    ///   program has written.
    public init(_ bytes: UnsafeRawBufferPointer, depth: Int = ProtobufReader.maximumDepth) {
        // An empty buffer may have no address. Its reader is at its end from the start and reads from nowhere.
        let start = bytes.baseAddress ?? UnsafeRawPointer(bitPattern: 1).unsafelyUnwrapped
        self.origin = start.assumingMemoryBound(to: UInt8.self)
        self.position = self.origin
        self.fieldStart = self.origin
        self.end = self.origin + bytes.count
        self.depth = depth
    }

    /// Calls `body` with a reader of an array's bytes.
    @inlinable
    public static func read<Result>(
        _ bytes: [UInt8],
        depth: Int = ProtobufReader.maximumDepth,
        _ body: (inout ProtobufReader) throws(ProtobufError) -> Result
    ) throws(ProtobufError) -> Result {
        try bytes.withUnsafeBufferPointer { (buffer) throws(ProtobufError) in
            var reader = ProtobufReader(UnsafeRawBufferPointer(buffer), depth: depth)
            return try body(&reader)
        }
    }

    // MARK: Where the reader stands

    /// Whether all bytes of the current message are read.
    public var isAtEnd: Bool { self.position == self.end }

    /// How many bytes the reader has passed since it was made.
    public var offset: Int { self.position - self.origin }

    /// How many bytes are left in the current message.
    public var remaining: Int { self.end - self.position }

    /// The field number of the last tag.
    public var fieldNumber: Int { Int(self.tag >> 3) }

    /// The wire type of the last tag; nil for the two numbers that mean nothing.
    public var wireType: ProtobufWireType? { ProtobufWireType(rawValue: UInt8(self.tag & 7)) }

    // MARK: Tags

    /// Reads the next tag (field number times eight plus wire type), or returns nil at the end of the message.
    public mutating func nextTag() throws(ProtobufError) -> UInt32? {
        if self.position == self.end { return nil }
        self.fieldStart = self.position
        let value = try self.varint()
        // Protobuf reads a tag of five bytes at most, also one whose further bytes add nothing.
        guard value >= 8, value <= UInt64(UInt32.max), self.position - self.fieldStart <= 5 else { throw .invalidTag }
        self.tag = UInt32(value)
        return self.tag
    }

    /// Passes over the value of the last tag. Groups are passed over with all they contain.
    public mutating func skip() throws(ProtobufError) {
        switch self.wireType {
        case .varint: _ = try self.varint()
        case .fixed64: try self.advance(8)
        case .lengthDelimited: _ = try self.slice()
        case .startGroup: try self.skipGroup()
        case .fixed32: try self.advance(4)
        case .endGroup, nil: throw .invalidWireType(field: self.fieldNumber)
        }
    }

    /// Passes over the field of the last tag and appends it, tag included, to `fields`.
    public mutating func unknownField(_ fields: inout [UInt8]) throws(ProtobufError) {
        let start = self.fieldStart
        try self.skip()
        fields.append(contentsOf: UnsafeBufferPointer(start: start, count: self.position - start))
    }

    private mutating func skipGroup() throws(ProtobufError) {
        guard self.depth > 0 else { throw .depthExceeded }
        self.depth -= 1
        let number = self.fieldNumber
        while true {
            guard let tag = try self.nextTag() else { throw .truncated }
            if tag & 7 == UInt32(ProtobufWireType.endGroup.rawValue) {
                guard self.fieldNumber == number else { throw .invalidWireType(field: self.fieldNumber) }
                self.depth += 1
                return
            }
            try self.skip()
        }
    }

    mutating func advance(_ count: Int) throws(ProtobufError) {
        guard count <= self.end - self.position else { throw .truncated }
        self.position += count
    }
}
