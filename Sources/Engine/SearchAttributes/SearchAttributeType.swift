/// The type of a search attribute. The raw values are those of the contract's `IndexedValueType`.
public enum SearchAttributeType: Int32, CaseIterable, Sendable {
    /// A text that is searched by its words.
    case text = 1
    /// A text that is compared as a whole.
    case keyword = 2
    /// An integer of 64 bits.
    case int = 3
    /// A number.
    case double = 4
    /// True or false.
    case bool = 5
    /// A point in time.
    case datetime = 6
    /// Several texts, each compared as a whole.
    case keywordList = 7

    /// The name as in the metadata of payloads, on the command line and in messages.
    public var name: String {
        switch self {
        case .text: "Text"
        case .keyword: "Keyword"
        case .int: "Int"
        case .double: "Double"
        case .bool: "Bool"
        case .datetime: "Datetime"
        case .keywordList: "KeywordList"
        }
    }

    /// The type with this name, whatever its case.
    public init?(named name: String) {
        guard let type = Self.allCases.first(where: { $0.name.lowercased() == name.lowercased() }) else { return nil }
        self = type
    }
}

/// A search attribute that a namespace knows.
public struct SearchAttribute: Sendable, Hashable {
    /// What its values are stored under. An attribute that is removed and added again has another one.
    public let id: Int32
    /// The name, as clients write it.
    public let name: String
    /// The type of its values.
    public let type: SearchAttributeType

    public init(id: Int32, name: String, type: SearchAttributeType) {
        self.id = id
        self.name = name
        self.type = type
    }
}
