/// How to check that a length-delimited value can be decoded. Values of other wire types only have to be complete.
enum ProtobufCheck: Sendable {
    /// Nothing to check: a `bytes` value, a field with another wire type than the schema's, or an unknown field.
    case nothing
    case string
    case message(any ProtobufMessage.Type)
    case mapEntry(ProtobufFields)
    case packedVarints
    /// Numbers of this many bytes.
    case packedNumbers(Int)

    init(_ field: ProtobufFields.Field) {
        switch field.kind.wireType {
        case .varint: self = field.isRepeated ? .packedVarints : .nothing
        case .fixed32: self = field.isRepeated ? .packedNumbers(4) : .nothing
        case .fixed64: self = field.isRepeated ? .packedNumbers(8) : .nothing
        default:
            if let entry = field.mapEntry {
                self = .mapEntry(entry)
            } else if let message = field.message {
                self = .message(message)
            } else {
                self = field.kind == .string ? .string : .nothing
            }
        }
    }
}

extension ProtobufReader {
    /// Reads to the end of the current message and reports every error that decoding would report, without decoding.
    ///
    /// A field with another wire type than the schema's counts as unknown, as in decoding.
    public mutating func check(_ fields: ProtobufFields) throws(ProtobufError) {
        while let tag = try self.nextTag() {
            guard tag & 7 == UInt32(ProtobufWireType.lengthDelimited.rawValue) else {
                try self.skip()
                continue
            }
            switch fields.check(of: Int(tag >> 3)) {
            case .nothing: _ = try self.slice()
            case .string:
                guard isValidUTF8(try self.slice()) else { throw .invalidUTF8(field: self.fieldNumber) }
            case .message(let type): try self.checkNested(type.protobufFields)
            case .mapEntry(let entry): try self.checkNested(entry)
            case .packedVarints:
                let scope = try self.enter()
                while !self.isAtEnd { _ = try self.varint() }
                self.leave(scope)
            case .packedNumbers(let size):
                let scope = try self.enter()
                guard self.remaining.isMultiple(of: size) else { throw .truncated }
                self.leave(scope)
            }
        }
    }

    private mutating func checkNested(_ fields: ProtobufFields) throws(ProtobufError) {
        let scope = try self.enter()
        try self.check(fields)
        self.leave(scope)
    }
}

/// Whether the bytes are valid UTF-8. Checks eight ASCII bytes at a time.
func isValidUTF8(_ bytes: UnsafeRawBufferPointer) -> Bool {
    var index = 0
    while index + 8 <= bytes.count,
        bytes.loadUnaligned(fromByteOffset: index, as: UInt64.self) & 0x8080_8080_8080_8080 == 0
    {
        index += 8
    }
    while index < bytes.count, bytes[index] < 0x80 { index += 1 }
    if index == bytes.count { return true }
    return String(validating: UnsafeRawBufferPointer(rebasing: bytes[index...]), as: UTF8.self) != nil
}
