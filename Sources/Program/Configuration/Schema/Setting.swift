internal import SagamoreYAML

/// A key of a section: how it is read, written and explained.
public struct Setting<Section: ConfigurationSection>: Sendable {
    /// The key.
    let key: String
    /// What it means, for those who write the file.
    let comment: String
    private let readValue: @Sendable (inout Section, any Decoder) throws -> Void
    private let readNothing: @Sendable (inout Section) -> Void
    private let writeValue: @Sendable (Section) -> SettingText

    /// - Parameters:
    ///   - check: what is wrong with a value, in a sentence that follows the key's name; nil when nothing is.
    init<Value: ConfigurationValue>(
        _ key: String,
        _ path: WritableKeyPath<Section, Value> & Sendable,
        _ comment: String,
        check: @escaping @Sendable (Value) -> String? = { _ in nil }
    ) {
        self.key = key
        self.comment = comment
        readValue = { section, decoder in
            let value = try decoder.singleValueContainer().decode(Value.self)
            if let problem = check(value) {
                throw ConfigurationProblem("'\(key)' \(problem)").placed(at: decoder.yamlMark)
            }
            section[keyPath: path] = value
        }
        readNothing = { section in
            if let nothing = (Value.self as? any ConfigurationOptional.Type)?.nothing as? Value {
                section[keyPath: path] = nothing
            }
        }
        writeValue = { $0[keyPath: path].text }
    }

    /// Reads the value if the key is there. A key without a value means that an optional one is not there, and the
    /// default of others.
    func read(into section: inout Section, from container: KeyedDecodingContainer<SettingKey>) throws {
        let key = SettingKey(key)
        guard container.contains(key) else { return }
        if try container.decodeNil(forKey: key) { return readNothing(&section) }
        try readValue(&section, container.superDecoder(forKey: key))
    }

    func text(in section: Section) -> SettingText { writeValue(section) }
}

/// A key by its name.
struct SettingKey: CodingKey {
    let stringValue: String
    var intValue: Int? { nil }

    init(_ name: String) { stringValue = name }
    init?(stringValue: String) { self.stringValue = stringValue }
    init?(intValue: Int) { nil }
}

/// A part of the configuration: keys with values. Whoever declares `settings` has a section that is read, checked,
/// written with its defaults, and shown without its secrets.
public protocol ConfigurationSection: ConfigurationValue {
    /// The defaults.
    init()
    /// All keys, in the order in which they are written.
    static var settings: [Setting<Self>] { get }
    /// Finds what is wrong between several keys.
    /// - Throws: ``ConfigurationProblem``, which may name the key to look at.
    func validate() throws
}

extension ConfigurationSection {
    /// Reads the keys that are there; the others have their defaults.
    public init(from decoder: any Decoder) throws {
        self.init()
        let container = try decoder.container(keyedBy: SettingKey.self)
        for setting in Self.settings { try setting.read(into: &self, from: container) }
        do {
            try validate()
        } catch let problem as ConfigurationProblem {
            let key = problem.key.map { SettingKey($0) }
            let place = key.flatMap { try? container.superDecoder(forKey: $0).yamlMark } ?? decoder.yamlMark
            throw problem.placed(at: place)
        }
    }

    /// All keys with their values.
    public var text: SettingText {
        .section(Self.settings.map { SettingText.Member(key: $0.key, comment: $0.comment, text: $0.text(in: self)) })
    }

    /// Nothing to check.
    public func validate() throws {}
}

/// What is wrong with values that can be read.
public struct ConfigurationProblem: Error, CustomStringConvertible {
    /// What is wrong, and what to do.
    public let description: String
    /// The key to look at; nil for the section.
    public let key: String?

    init(_ description: String, key: String? = nil) {
        self.description = description
        self.key = key
    }

    func placed(at mark: YAMLMark?) -> any Error {
        mark.map { YAMLError(.badValue, description, at: $0) } ?? self
    }
}
