/// A parameter with a name and a value: `--port 7233` or `--port=7233`.
///
/// Its type determines how often it may occur: `Option<Int>` is required unless it has a default, `Option<Int?>` is
/// optional, and `Option<[Int]>` may be repeated. For a single value, the last occurrence counts.
public struct Option<Value: Sendable>: Parameter {
    /// Its definition, for the parser and the help.
    public let definition: ParameterDefinition
    let reader: ValueReader<Value>

    private init(
        _ names: [String],
        valueName: String?,
        help: String,
        defaultText: String?,
        environment: [String],
        isRepeated: Bool = false,
        isRequired: Bool = false,
        isSensitive: Bool,
        allowedValues: [String],
        reader: ValueReader<Value>
    ) {
        precondition(ParameterName.areValid(names), "an option is named --like-this, and optionally -l: \(names)")
        self.reader = reader
        definition = ParameterDefinition(
            kind: .option(isRepeated: isRepeated),
            names: names,
            valueName: valueName ?? ParameterName.placeholder(names),
            help: help,
            defaultText: defaultText,
            environment: environment,
            isRequired: isRequired,
            isSensitive: isSensitive,
            allowedValues: allowedValues,
            check: { (texts) throws(InvalidValue) in _ = try reader.read(texts) }
        )
    }
}

extension Option where Value: ExpressibleByArgument {
    /// An option that is required unless it has a default.
    /// - Parameters:
    ///   - names: `--name`, and optionally a short `-n`.
    ///   - valueName: The placeholder in help; by default the name in capitals.
    ///   - defaultValue: The value when none is given; nil makes the option required.
    ///   - environment: Variables that can set it. The first nonempty one counts.
    ///   - isSensitive: Whether messages omit its values.
    ///   - help: A sentence.
    public init(
        _ names: String...,
        valueName: String? = nil,
        default defaultValue: Value? = nil,
        environment: [String] = [],
        isSensitive: Bool = false,
        help: String
    ) {
        self.init(
            names,
            valueName: valueName,
            help: help,
            defaultText: isSensitive ? nil : defaultValue?.defaultValueDescription,
            environment: environment,
            isRequired: defaultValue == nil,
            isSensitive: isSensitive,
            allowedValues: Value.allValueStrings,
            reader: .single(default: defaultValue)
        )
    }
}

extension Option {
    /// An optional option. The parameters are those of an option with a default.
    public init<Element: ExpressibleByArgument>(
        _ names: String...,
        valueName: String? = nil,
        environment: [String] = [],
        isSensitive: Bool = false,
        help: String
    ) where Value == Element? {
        self.init(
            names,
            valueName: valueName,
            help: help,
            defaultText: nil,
            environment: environment,
            isSensitive: isSensitive,
            allowedValues: Element.allValueStrings,
            reader: .optional()
        )
    }

    /// An option that may be repeated. An environment variable holds one value. The other parameters are those of an
    /// option with a default.
    public init<Element: ExpressibleByArgument>(
        _ names: String...,
        valueName: String? = nil,
        default defaultValue: [Element] = [],
        environment: [String] = [],
        isSensitive: Bool = false,
        help: String
    ) where Value == [Element] {
        let texts = defaultValue.map(\.defaultValueDescription)
        self.init(
            names,
            valueName: valueName,
            help: help,
            defaultText: isSensitive || texts.isEmpty ? nil : texts.joined(separator: ", "),
            environment: environment,
            isRepeated: true,
            isSensitive: isSensitive,
            allowedValues: Element.allValueStrings,
            reader: .list(default: defaultValue)
        )
    }
}

/// The syntax of option names.
enum ParameterName {
    /// At least one name, and the first is long.
    static func areValid(_ names: [String]) -> Bool {
        guard let first = names.first, isLong(first) else { return false }
        return names.allSatisfy {
            isLong($0) || ($0.utf8.count == 2 && $0.utf8.first == UInt8(ascii: "-") && $0 != "--")
        }
    }

    static func isLong(_ name: String) -> Bool {
        name.hasPrefix("--") && name.utf8.count > 2 && !name.contains("=") && !name.contains(" ")
    }

    static func placeholder(_ names: [String]) -> String {
        names[0].dropFirst(2).uppercased()
    }
}
