/// A parameter with a name and a value: `--port 7233` or `--port=7233`.
///
/// Its type says how often it is expected: `Option<Int>` has a default or is required, `Option<Int?>` may be missing,
/// `Option<[Int]>` may be given several times. Where one value is expected and several are given, the last one counts.
public struct Option<Value: Sendable>: Parameter {
    /// What the parser and the help know of it.
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
        precondition(ParameterName.areValid(names), "an option is named --like-this, and perhaps -l: \(names)")
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
    /// An option with a default, or one that has to be given.
    /// - Parameters:
    ///   - names: `--name`, and perhaps a short `-n`.
    ///   - valueName: The placeholder in help; by default the name in capitals.
    ///   - defaultValue: The value where none is given. Without it the option is required.
    ///   - environment: Variables that stand for it; of those that are set and not empty, the first one counts.
    ///   - isSensitive: Whether its values are kept out of messages.
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
    /// An option that may be missing. The parameters are those of an option with a default.
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

    /// An option that may be given several times. A variable of the environment stands for one value. The other
    /// parameters are those of an option with a default.
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

/// The form of options' names.
enum ParameterName {
    /// At least one, the first one long.
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
