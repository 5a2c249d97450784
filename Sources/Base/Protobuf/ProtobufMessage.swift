/// A message that can be read from and written to protobuf's binary form.
///
/// Conforming types are plain structs, nearly all of them generated. Fields that a type does not name are kept in
/// ``unknownFields`` and written again, so a message passes through a program that is older than its sender.
public protocol ProtobufMessage: Equatable, Sendable {
    /// The message with every field at its default.
    init()

    /// The full name in the schema, such as `temporal.api.common.v1.Payload`.
    static var protobufMessageName: String { get }

    /// What the schema says about the fields: lets bytes be checked without decoding them.
    static var protobufFields: ProtobufFields { get }

    /// The encoded fields that this type does not name, tags included.
    var unknownFields: [UInt8] { get set }

    /// Reads fields up to the reader's end and merges them into this message, as protobuf defines merging.
    mutating func merge(from reader: inout ProtobufReader) throws(ProtobufError)

    /// Writes all fields, last one first: a ``ProtobufWriter`` grows from back to front.
    func encode(into writer: inout ProtobufWriter)
}

extension ProtobufMessage {
    /// Decodes a whole message.
    /// - Parameter depth: how deep messages may be nested in it.
    /// - Throws: ``ProtobufError`` when the bytes are no message of this type.
    @inlinable
    public init(serializedBytes bytes: [UInt8], depth: Int = ProtobufReader.maximumDepth) throws(ProtobufError) {
        var message = Self()
        try ProtobufReader.read(bytes, depth: depth) { (reader) throws(ProtobufError) in
            try message.merge(from: &reader)
        }
        self = message
    }

    /// Decodes a whole message from memory that stays in place during the call.
    /// - Parameter depth: how deep messages may be nested in it.
    /// - Throws: ``ProtobufError`` when the bytes are no message of this type.
    @inlinable
    public init(
        serializedBytes bytes: UnsafeRawBufferPointer,
        depth: Int = ProtobufReader.maximumDepth
    ) throws(ProtobufError) {
        self.init()
        var reader = ProtobufReader(bytes, depth: depth)
        try self.merge(from: &reader)
    }

    /// The encoded message.
    @inlinable
    public func serializedBytes() -> [UInt8] {
        var writer = ProtobufWriter()
        self.encode(into: &writer)
        return writer.bytes()
    }

    /// Appends the encoded message, without a length, to `bytes`.
    @inlinable
    public func append(to bytes: inout [UInt8]) {
        var writer = ProtobufWriter()
        self.encode(into: &writer)
        writer.withBytes { bytes.append(contentsOf: $0) }
    }
}

/// Puts a value on the heap, so that a message may contain a message of its own type.
public final class ProtobufBox<Value: Equatable & Sendable>: Equatable, Sendable {
    /// What is in the box.
    public let value: Value

    /// Puts a value in a box.
    public init(_ value: Value) { self.value = value }

    public static func == (left: ProtobufBox, right: ProtobufBox) -> Bool { left.value == right.value }
}
