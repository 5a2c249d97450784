/// An enumeration of a schema. It is open: unknown numbers are preserved.
public protocol ProtobufEnum: RawRepresentable, Hashable, Sendable, CustomStringConvertible where RawValue == Int32 {
    /// The value with this number, known or not.
    init(rawValue: Int32)

    /// The numbers and names in the schema.
    static var protobufNames: ProtobufEnumNames { get }
}

extension ProtobufEnum {
    /// The value with a name of the schema, such as `EVENT_TYPE_TIMER_STARTED`; nil when there is none.
    public init?(protobufName: String) {
        guard let number = Self.protobufNames.number(of: protobufName) else { return nil }
        self.init(rawValue: number)
    }

    /// The name in the schema, or the number when the schema has no name for it.
    public var description: String { Self.protobufNames.name(of: self.rawValue) ?? String(self.rawValue) }

    @inlinable
    public static func == (left: Self, right: Self) -> Bool { left.rawValue == right.rawValue }

    @inlinable
    public func hash(into hasher: inout Hasher) { hasher.combine(self.rawValue) }
}

/// The names of an enumeration's numbers.
public struct ProtobufEnumNames: Sendable {
    /// Numbers and names in the order of the schema. A number may occur twice; its first name is the one shown.
    public let entries: [(number: Int32, name: String)]

    private let names: [Int32: String]
    private let numbers: [String: Int32]

    /// - Parameters:
    ///   - prefix: the common prefix of all names.
    ///   - list: numbers and names without the prefix, separated by single spaces: `0 UNSPECIFIED 1 RUNNING`.
    public init(_ prefix: StaticString, _ list: StaticString) {
        let words = String(describing: list).split(separator: " ")
        let prefix = String(describing: prefix)
        self.entries = stride(from: 0, to: words.count - 1, by: 2).map { index in
            guard let number = Int32(words[index]) else {
                preconditionFailure("a generated list of enum names is broken: \(list)")
            }
            return (number, prefix + words[index + 1])
        }
        self.names = Dictionary(self.entries.map { ($0.number, $0.name) }) { first, _ in first }
        self.numbers = Dictionary(self.entries.map { ($0.name, $0.number) }) { first, _ in first }
    }

    /// The name of a number, or nil when the schema has none.
    public func name(of number: Int32) -> String? { self.names[number] }

    /// The number of a name, or nil when the schema has none.
    public func number(of name: String) -> Int32? { self.numbers[name] }
}
