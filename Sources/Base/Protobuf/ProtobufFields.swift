/// The schema of one message: numbers, names, kinds and types of its fields.
///
/// Generated code holds it as a short text, which is parsed on first use.
public final class ProtobufFields: Sendable {
    /// One field of a message.
    public struct Field: Sendable {
        /// The number on the wire.
        public let number: Int
        /// The name in the schema, `workflow_id`.
        public let name: String
        /// How a single value is encoded. A map is a repeated message of two fields.
        public let kind: Kind
        /// Whether the field is repeated.
        public let isRepeated: Bool
        /// Whether a scalar distinguishes "not set" from its default.
        public let hasPresence: Bool
        /// The type of a message field that is not a map.
        public let message: (any ProtobufMessage.Type)?
        /// The type of an enum field.
        public let enumeration: (any ProtobufEnum.Type)?
        /// The fields `key` and `value` of a map's entry.
        public let mapEntry: ProtobufFields?
    }

    /// A type of the protobuf language. The raw value is its letter in the text that describes a message.
    public enum Kind: UInt8, Sendable, CaseIterable {
        /// A signed integer of 32 bits as a varint; a negative one takes ten bytes.
        case int32 = 0x69  // i
        /// A signed integer of 64 bits as a varint; a negative one takes ten bytes.
        case int64 = 0x6C  // l
        /// An unsigned integer of 32 bits as a varint.
        case uint32 = 0x75  // u
        /// An unsigned integer of 64 bits as a varint.
        case uint64 = 0x76  // v
        /// A signed integer of 32 bits as a ZigZag varint: small negative numbers stay short.
        case sint32 = 0x7A  // z
        /// A signed integer of 64 bits as a ZigZag varint: small negative numbers stay short.
        case sint64 = 0x79  // y
        /// A varint that is 0 or 1.
        case bool = 0x62  // b
        /// The number of an enumeration's value, as a varint.
        case enumeration = 0x65  // e
        /// An unsigned integer in four bytes, little-endian.
        case fixed32 = 0x77  // w
        /// A signed integer in four bytes, little-endian.
        case sfixed32 = 0x57  // W
        /// A floating-point number in four bytes.
        case float = 0x66  // f
        /// An unsigned integer in eight bytes, little-endian.
        case fixed64 = 0x78  // x
        /// A signed integer in eight bytes, little-endian.
        case sfixed64 = 0x58  // X
        /// A floating-point number in eight bytes.
        case double = 0x64  // d
        /// UTF-8 text with its length before it.
        case string = 0x73  // s
        /// Bytes with their length before them.
        case bytes = 0x74  // t
        /// An encoded message with its length before it.
        case message = 0x6D  // m

        /// The wire type of one value.
        public var wireType: ProtobufWireType {
            switch self {
            case .int32, .int64, .uint32, .uint64, .sint32, .sint64, .bool, .enumeration: .varint
            case .fixed32, .sfixed32, .float: .fixed32
            case .fixed64, .sfixed64, .double: .fixed64
            case .string, .bytes, .message: .lengthDelimited
            }
        }
    }

    /// The fields in the order of the text.
    public let fields: [Field]

    /// For field numbers up to 1,023, the index in `fields` plus one, or zero.
    private let directory: [UInt16]

    /// How to check each field's value, in the order of `fields`.
    private let checks: [ProtobufCheck]

    /// - Parameters:
    ///   - text: for every field its number with its kind, and its name, separated by single spaces:
    ///     `1s name 2*m links 3<st metadata 4?i priority`. `*` is repeated, `?` has presence, `<` is a map followed by
    ///     the kinds of key and value.
    ///   - messages: the types of the message fields, in order.
    ///   - enums: the types of the enum fields, in order.
    public convenience init(
        _ text: StaticString,
        messages: [any ProtobufMessage.Type] = [],
        enums: [any ProtobufEnum.Type] = []
    ) {
        var parser = ProtobufFieldsParser(messages: messages, enums: enums)
        self.init(parser.fields(of: String(describing: text)))
    }

    init(_ fields: [Field]) {
        self.fields = fields
        self.checks = fields.map { ProtobufCheck($0) }
        var directory = [UInt16](repeating: 0, count: min(fields.map(\.number).max() ?? 0, 1023) + 1)
        for (index, field) in fields.enumerated() where field.number < directory.count {
            directory[field.number] = UInt16(index + 1)
        }
        self.directory = directory
    }

    /// The field with this number, or nil.
    public subscript(_ number: Int) -> Field? {
        guard let index = self.index(of: number) else { return nil }
        return self.fields[index]
    }

    /// How to check the field with this number.
    func check(of number: Int) -> ProtobufCheck {
        guard let index = self.index(of: number) else { return .nothing }
        return self.checks[index]
    }

    private func index(of number: Int) -> Int? {
        if number < self.directory.count {
            let entry = self.directory[number]
            return entry == 0 ? nil : Int(entry) - 1
        }
        return number <= 1023 ? nil : self.fields.firstIndex { $0.number == number }
    }
}

/// Parses the text of ``ProtobufFields``. The text is part of the program, so errors are programming errors.
private struct ProtobufFieldsParser {
    let messages: [any ProtobufMessage.Type]
    let enums: [any ProtobufEnum.Type]
    var nextMessage = 0
    var nextEnum = 0

    init(messages: [any ProtobufMessage.Type], enums: [any ProtobufEnum.Type]) {
        self.messages = messages
        self.enums = enums
    }

    mutating func fields(of text: String) -> [ProtobufFields.Field] {
        let words = text.split(separator: " ")
        return stride(from: 0, to: words.count - 1, by: 2).map { index in
            let digits = words[index].prefix { $0.isNumber }
            guard let number = Int(digits) else { preconditionFailure("a generated list of fields is broken: \(text)") }
            return self.field(number, String(words[index + 1]), words[index].dropFirst(digits.count))
        }
    }

    private mutating func field(_ number: Int, _ name: String, _ letters: Substring) -> ProtobufFields.Field {
        if letters.first == "<" {
            let kinds = letters.dropFirst()
            let entry = ProtobufFields([
                self.field(1, "key", kinds.prefix(1)), self.field(2, "value", kinds.dropFirst()),
            ])
            return ProtobufFields.Field(
                number: number,
                name: name,
                kind: .message,
                isRepeated: true,
                hasPresence: false,
                message: nil,
                enumeration: nil,
                mapEntry: entry
            )
        }
        guard let letter = letters.utf8.last, let kind = ProtobufFields.Kind(rawValue: letter) else {
            preconditionFailure("a generated field has an unknown kind: \(letters)")
        }
        return ProtobufFields.Field(
            number: number,
            name: name,
            kind: kind,
            isRepeated: letters.first == "*",
            hasPresence: letters.first == "?",
            message: kind == .message ? self.takeMessage() : nil,
            enumeration: kind == .enumeration ? self.takeEnum() : nil,
            mapEntry: nil
        )
    }

    private mutating func takeMessage() -> any ProtobufMessage.Type {
        self.nextMessage += 1
        return self.messages[self.nextMessage - 1]
    }

    private mutating func takeEnum() -> any ProtobufEnum.Type {
        self.nextEnum += 1
        return self.enums[self.nextEnum - 1]
    }
}
