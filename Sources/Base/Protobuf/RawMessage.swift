/// A message that stays encoded: checked once where it enters, passed on as bytes.
///
/// Equality and hash are those of the bytes; two encodings of one message may differ.
public struct RawMessage<Message: ProtobufMessage>: Hashable, Sendable {
    @usableFromInline
    var storage: [UInt8]

    /// The encoded message, without a length in front.
    public var bytes: [UInt8] { self.storage }

    /// The message with every field at its default: no bytes.
    public init() { self.storage = [] }

    /// Encodes a message.
    public init(_ message: Message) { self.storage = message.serializedBytes() }

    /// Takes bytes that are known to be a valid message of this type, such as bytes that this program has encoded.
    public init(uncheckedBytes bytes: [UInt8]) { self.storage = bytes }

    /// Takes bytes after checking that they can be decoded.
    /// - Throws: the error that decoding them would end with.
    public init(checking bytes: [UInt8]) throws(ProtobufError) {
        try ProtobufReader.read(bytes) { (reader) throws(ProtobufError) in try reader.check(Message.protobufFields) }
        self.storage = bytes
    }

    /// Decodes the message.
    /// - Throws: only when made from unchecked bytes that are no valid message.
    public func decoded() throws(ProtobufError) -> Message { try Message(serializedBytes: self.storage) }
}
