/// A message that can be read from and written to protobuf's binary form.
///
/// Conforming types are plain structs, nearly all of them generated. Unknown fields are kept in ``unknownFields`` and
/// written again, so a message passes unchanged through a program that is older than its sender.
public protocol ProtobufMessage: Equatable, Sendable {
    /// The message with every field at its default.
    init()

    /// The full name in the schema, such as `temporal.api.common.v1.Payload`.
    static var protobufMessageName: String { get }

    /// The schema of the fields, which allows checking bytes without decoding them.
    static var protobufFields: ProtobufFields { get }

    /// The encoded unknown fields, including tags.
    var unknownFields: [UInt8] { get set }

    /// Reads fields to the reader's end and merges them into this message by protobuf's rules.
    mutating func merge(from reader: inout ProtobufReader) throws(ProtobufError)

    /// Writes all fields, last one first: a ``ProtobufWriter`` grows from back to front.
    func encode(into writer: inout ProtobufWriter)
}

extension ProtobufMessage {
    /// Decodes a message.
    /// - Parameter depth: the maximum nesting depth.
    /// - Throws: ``ProtobufError`` when the bytes are not a valid message of this type.
    @inlinable
    public init(serializedBytes bytes: [UInt8], depth: Int = ProtobufReader.maximumDepth) throws(ProtobufError) {
        var message = Self()
        try ProtobufReader.read(bytes, depth: depth) { (reader) throws(ProtobufError) in
            try message.merge(from: &reader)
        }
        self = message
    }

    /// Decodes a message from memory that stays valid during the call.
    /// - Parameter depth: the maximum nesting depth.
    /// - Throws: ``ProtobufError`` when the bytes are not a valid message of this type.
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

/// Boxes a value, so that a message can contain a message of its own type.
public final class ProtobufBox<Value: Equatable & Sendable>: Equatable, Sendable {
    /// The boxed value.
    public let value: Value

    /// Boxes a value.
    public init(_ value: Value) { self.value = value }

    public static func == (left: ProtobufBox, right: ProtobufBox) -> Bool { left.value == right.value }
}
