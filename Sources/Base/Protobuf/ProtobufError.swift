/// Why bytes are not a valid protobuf message. It names fields of the schema, never the bytes themselves.
public enum ProtobufError: Error, Equatable, Sendable {
    /// The bytes end inside a value, or a length exceeds them.
    case truncated
    /// A varint has more than ten bytes, or a length more than five.
    case malformedVarint
    /// A tag has the field number 0, does not fit in 32 bits, or takes more than five bytes.
    case invalidTag
    /// A tag's wire type does not exist, or a group ends that did not begin.
    case invalidWireType(field: Int)
    /// Messages or groups are nested too deeply; the default limit is ``ProtobufReader/maximumDepth``.
    case depthExceeded
    /// A string field holds invalid UTF-8.
    case invalidUTF8(field: Int)
}

extension ProtobufError: CustomStringConvertible {
    /// One readable sentence without a full stop.
    public var description: String {
        switch self {
        case .truncated: "protobuf: the message ends inside a value"
        case .malformedVarint: "protobuf: a varint is longer than ten bytes, or a length longer than five"
        case .invalidTag: "protobuf: a tag has no valid field number"
        case .invalidWireType(let field): "protobuf: field \(field) has an impossible wire type"
        case .depthExceeded: "protobuf: messages are nested more than \(ProtobufReader.maximumDepth) deep"
        case .invalidUTF8(let field): "protobuf: string field \(field) is not UTF-8"
        }
    }
}
