extension Logger {
    /// What a line says beside its message, by key.
    public typealias Metadata = [String: MetadataValue]

    /// A value of a line's metadata: text, something that can be described, or several of them.
    public enum MetadataValue: Sendable {
        /// Text.
        case string(String)
        /// Described only when the line is written.
        case stringConvertible(any CustomStringConvertible & Sendable)
        /// Values by key.
        case dictionary(Metadata)
        /// Values in order.
        case array([MetadataValue])
    }
}

extension Logger.MetadataValue: Equatable {
    /// Values are equal if they are written alike.
    public static func == (one: Self, other: Self) -> Bool {
        switch (one, other) {
        case (.dictionary(let one), .dictionary(let other)): one == other
        case (.array(let one), .array(let other)): one == other
        case (.dictionary, _), (.array, _), (_, .dictionary), (_, .array): false
        default: one.description == other.description
        }
    }
}

extension Logger.MetadataValue: CustomStringConvertible {
    /// In one line: `[1, 2]` and `{first: 1, second: 2}` for several values, in the order of their keys.
    public var description: String {
        switch self {
        case .string(let text): text
        case .stringConvertible(let value): value.description
        case .dictionary(let values):
            "{" + values.sorted { $0.key < $1.key }.map { "\($0.key): \($0.value)" }.joined(separator: ", ") + "}"
        case .array(let values): "[" + values.map(\.description).joined(separator: ", ") + "]"
        }
    }
}

extension Logger.MetadataValue: ExpressibleByStringLiteral, ExpressibleByStringInterpolation {
    /// Text.
    public init(stringLiteral value: String) { self = .string(value) }
}

extension Logger.MetadataValue: ExpressibleByArrayLiteral {
    /// Values in order.
    public init(arrayLiteral elements: Logger.MetadataValue...) { self = .array(elements) }
}

extension Logger.MetadataValue: ExpressibleByDictionaryLiteral {
    /// Values by key; of equal keys the last one counts.
    public init(dictionaryLiteral elements: (String, Logger.MetadataValue)...) {
        self = .dictionary(Dictionary(elements) { _, last in last })
    }
}
