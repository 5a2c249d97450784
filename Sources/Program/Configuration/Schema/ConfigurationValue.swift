internal import SagamoreJSONText

/// A value of the configuration.
public protocol ConfigurationValue: Decodable, Equatable, Sendable {
    /// How it is written. Secrets are not.
    var text: SettingText { get }
}

/// How a value is written.
public indirect enum SettingText: Sendable {
    /// A single value, as it stands in a file; empty for none.
    case scalar(String)
    /// Values in order.
    case list([SettingText])
    /// No values, and how one would be written.
    case none(of: SettingText)
    /// Keys with values.
    case section([Member])
    /// A section that is not there, as it would be with its defaults.
    case absent(SettingText)

    /// A key with its value.
    public struct Member: Sendable {
        let key: String
        let comment: String
        let text: SettingText
    }
}

extension String: ConfigurationValue {
    /// In quotes if it would be read as something else without them.
    public var text: SettingText {
        let isWord =
            !isEmpty && allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || "._-/+".contains($0)) }
            && first!.isLetter && !["true", "false", "null", "yes", "no", "on", "off"].contains(lowercased())
        return .scalar(isWord ? self : JSONValue.string(self).text())
    }
}

extension Bool: ConfigurationValue {
    public var text: SettingText { .scalar(self ? "true" : "false") }
}

extension Int: ConfigurationValue {
    public var text: SettingText { .scalar(String(self)) }
}

extension Array: ConfigurationValue where Element: ConfigurationValue {
    public var text: SettingText {
        guard isEmpty, let section = Element.self as? any ConfigurationSection.Type else { return .list(map(\.text)) }
        return .none(of: SettingText.defaults(of: section))
    }
}

extension SettingText {
    /// A section with its defaults.
    static func defaults<Section: ConfigurationSection>(of type: Section.Type) -> SettingText { Section().text }
}

extension Optional: ConfigurationValue where Wrapped: ConfigurationValue {
    public var text: SettingText {
        if let self { return self.text }
        return (Wrapped.self as? any ConfigurationSection.Type).map { .absent(SettingText.defaults(of: $0)) }
            ?? .scalar("")
    }
}

/// A value that may not be there.
protocol ConfigurationOptional {
    static var nothing: Self { get }
}

extension Optional: ConfigurationOptional {
    static var nothing: Wrapped? { nil }
}

/// A choice of words.
public protocol ConfigurationChoice: ConfigurationValue, RawRepresentable, CaseIterable where RawValue == String {}

extension ConfigurationChoice {
    /// Reads one of the words.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        let word = try container.decode(String.self)
        guard let value = Self(rawValue: word) else {
            let words = Self.allCases.map { "'\($0.rawValue)'" }.joined(separator: ", ")
            throw DecodingError.dataCorruptedError(
                in: container,
                debugDescription: "expected one of \(words), found '\(word)'"
            )
        }
        self = value
    }

    /// The word.
    public var text: SettingText { .scalar(rawValue) }
}

/// A length of time, such as `90s` or `1h30m`.
public struct ConfigurationDuration: ConfigurationValue {
    /// The length.
    public var duration: Duration

    init(_ duration: Duration) { self.duration = duration }

    /// Reads a duration in Go's format.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        let text = try container.decode(String.self)
        guard let duration = GoDuration.parse(text), duration >= .zero else {
            throw DecodingError.dataCorruptedError(
                in: container,
                debugDescription: "expected a duration such as '90s' or '1h30m', found '\(text)'"
            )
        }
        self.duration = duration
    }

    /// In Go's format.
    public var text: SettingText { .scalar(GoDuration.string(duration)) }
}
