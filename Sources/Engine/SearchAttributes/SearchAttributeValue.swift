public import SagamoreAPI
internal import SagamoreJSONText

/// The value of a search attribute.
public enum SearchAttributeValue: Sendable, Equatable {
    /// A text that is searched by its words.
    case text(String)
    /// A text that is compared as a whole.
    case keyword(String)
    /// An integer.
    case int(Int64)
    /// A number.
    case double(Double)
    /// True or false.
    case bool(Bool)
    /// A point in time.
    case datetime(Instant)
    /// Several texts, each compared as a whole.
    case keywordList([String])

    /// Reads a value of a type from a payload's JSON. A list of one element stands for that element.
    ///
    /// - Returns: nil for a value of another type.
    init?(_ json: JSONValue, as type: SearchAttributeType) {
        if type == .keywordList {
            guard let elements = json.array else { return nil }
            let texts = elements.compactMap(\.string)
            guard texts.count == elements.count else { return nil }
            self = .keywordList(texts)
            return
        }
        if let elements = json.array {
            guard elements.count == 1, elements[0].array == nil else { return nil }
            self.init(elements[0], as: type)
            return
        }
        guard let value = Self.single(json, as: type) else { return nil }
        self = value
    }

    /// The value as JSON.
    public var json: String {
        switch self {
        case .text(let text), .keyword(let text): JSONValue.string(text).text()
        case .int(let number): "\(number)"
        case .double(let number): "\(number)"
        case .bool(let isTrue): "\(isTrue)"
        case .datetime(let at):
            JSONValue.string(at.rfc3339).text()
        case .keywordList(let texts): JSONValue.array(texts.map { .string($0) }).text()
        }
    }

    /// PostgreSQL cannot store such a text.
    var holdsNUL: Bool {
        switch self {
        case .text(let text), .keyword(let text): text.holdsNUL
        case .keywordList(let texts): texts.contains(where: \.holdsNUL)
        default: false
        }
    }

    private static func single(_ json: JSONValue, as type: SearchAttributeType) -> SearchAttributeValue? {
        switch type {
        case .text: json.string.map { .text($0) }
        case .keyword: json.string.map { .keyword($0) }
        case .int: json.int64.map { .int($0) }
        case .double: json.double.map { .double($0) }
        case .bool: json.bool.map { .bool($0) }
        case .datetime: json.string.flatMap { Instant(rfc3339: $0) }.map { .datetime($0) }
        case .keywordList: nil
        }
    }
}

extension Instant {
    /// The time in the form of RFC 3339, to the nanosecond.
    public var rfc3339: String {
        RFC3339.string(secondsSince1970: timestamp.seconds, nanos: timestamp.nanos, precision: .nanoseconds)
    }

    /// A time in the form of RFC 3339; nil for other texts, and for times that nanoseconds since 1970 cannot express.
    public init?(rfc3339 text: String) {
        guard let (seconds, nanos) = RFC3339.parse(text) else { return nil }
        let (product, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
        let (sum, overflows) = product.addingReportingOverflow(Int64(nanos))
        guard !overflow, !overflows else { return nil }
        self.init(nanoseconds: sum)
    }
}
