/// The wire type: the low three bits of a tag.
public enum ProtobufWireType: UInt8, Sendable {
    /// Up to ten bytes of seven bits each, the lowest first.
    case varint = 0
    /// Eight bytes, the lowest first.
    case fixed64 = 1
    /// A varint, and as many bytes.
    case lengthDelimited = 2
    /// The start of a group. Obsolete; readers skip groups.
    case startGroup = 3
    /// The end of a group.
    case endGroup = 4
    /// Four bytes, the lowest first.
    case fixed32 = 5
}

/// Reads protobuf's binary form from memory, field by field, with bounds checks.
///
/// A reader does not own its memory: use it only while that is valid, as in the body of ``read(_:depth:_:)``. After an
/// error, a reader must not be used.
///
///     while let tag = try reader.nextTag() {
///         switch tag {
///         case 10: name = try reader.string()  // field 1, length-delimited
///         default: try reader.skip()
///         }
///     }
public struct ProtobufReader {
    /// The default maximum nesting depth of messages and groups, without the outermost message. Protobuf's default.
    public static let maximumDepth = 100

    var position: UnsafePointer<UInt8>
    var end: UnsafePointer<UInt8>
    /// The start of the last tag.
    var fieldStart: UnsafePointer<UInt8>
    let origin: UnsafePointer<UInt8>
    /// The number of levels that may still be entered.
    var depth: Int
    /// The last tag that was read.
    var tag: UInt32 = 0

    /// Reads from `bytes`, which must stay valid while the reader is used.
    ///
    /// - Parameter depth: the maximum nesting depth. Exceed the default only for bytes that this program has written.
    public init(_ bytes: UnsafeRawBufferPointer, depth: Int = ProtobufReader.maximumDepth) {
        // An empty buffer may have no address. Its reader starts at its end and never dereferences this one.
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

    // MARK: Position

    /// Whether the current message has been read completely.
    public var isAtEnd: Bool { self.position == self.end }

    /// The number of bytes read so far.
    public var offset: Int { self.position - self.origin }

    /// The number of bytes left in the current message.
    public var remaining: Int { self.end - self.position }

    /// The field number of the last tag.
    public var fieldNumber: Int { Int(self.tag >> 3) }

    /// The wire type of the last tag; nil for the two invalid numbers.
    public var wireType: ProtobufWireType? { ProtobufWireType(rawValue: UInt8(self.tag & 7)) }

    // MARK: Tags

    /// Reads the next tag (field number times eight plus wire type), or returns nil at the end of the message.
    public mutating func nextTag() throws(ProtobufError) -> UInt32? { try self.nextTag(least: 8) }

    private mutating func nextTag(least: UInt64) throws(ProtobufError) -> UInt32? {
        if self.position == self.end { return nil }
        self.fieldStart = self.position
        let value = try self.varint()
        // Protobuf limits a tag to five bytes, even when further bytes would add nothing.
        guard value >= least, value <= UInt64(UInt32.max), self.position - self.fieldStart <= 5 else {
            throw .invalidTag
        }
        self.tag = UInt32(value)
        return self.tag
    }

    /// Skips the value of the last tag, including all contents of a group.
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

    /// Skips the field of the last tag and appends it, including the tag, to `fields`.
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
            // Protobuf's own readers do not look for field 0 in what they skip.
            guard let tag = try self.nextTag(least: 0) else { throw .truncated }
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
