/// An encoded message that is checked once on entry and passed on as bytes.
///
/// Equality and hash use the bytes; two encodings of one message may differ.
public struct RawMessage<Message: ProtobufMessage>: Hashable, Sendable {
    @usableFromInline
    var storage: [UInt8]

    /// The encoded message, without a length.
    public var bytes: [UInt8] { self.storage }

    /// The empty message, with every field at its default.
    public init() { self.storage = [] }

    /// Encodes a message.
    public init(_ message: Message) { self.storage = message.serializedBytes() }

    /// Wraps bytes that are known to be a valid message of this type, such as bytes that this program encoded.
    public init(uncheckedBytes bytes: [UInt8]) { self.storage = bytes }

    /// Wraps bytes after checking that they can be decoded.
    /// - Throws: the error that decoding them would throw.
    public init(checking bytes: [UInt8]) throws(ProtobufError) {
        try ProtobufReader.read(bytes) { (reader) throws(ProtobufError) in try reader.check(Message.protobufFields) }
        self.storage = bytes
    }

    /// Decodes the message.
    /// - Throws: only when created from unchecked bytes that are invalid.
    public func decoded() throws(ProtobufError) -> Message { try Message(serializedBytes: self.storage) }
}
