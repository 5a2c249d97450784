/// A positional parameter: `sagamore workflow show ID`.
///
/// Its type determines how often it may occur: `Argument<Int>` is required unless it has a default, `Argument<Int?>` is
/// optional, and `Argument<[Int]>` takes all remaining arguments.
public struct Argument<Value: Sendable>: Parameter {
    /// Its definition, for the parser and the help.
    public let definition: ParameterDefinition
    let reader: ValueReader<Value>

    private init(
        _ name: String,
        help: String,
        defaultText: String?,
        isRepeated: Bool = false,
        isRequired: Bool = false,
        allowedValues: [String],
        reader: ValueReader<Value>
    ) {
        precondition(!name.isEmpty && !name.hasPrefix("-"), "an argument has a placeholder, without dashes: \(name)")
        self.reader = reader
        definition = ParameterDefinition(
            kind: .argument(isRepeated: isRepeated),
            names: [name],
            valueName: name,
            help: help,
            defaultText: defaultText,
            environment: [],
            isRequired: isRequired,
            isSensitive: false,
            allowedValues: allowedValues,
            check: { (texts) throws(InvalidValue) in _ = try reader.read(texts) }
        )
    }
}

extension Argument where Value: ExpressibleByArgument {
    /// An argument that is required unless it has a default.
    /// - Parameters:
    ///   - name: The placeholder in help.
    ///   - defaultValue: The value when none is given; nil makes the argument required.
    ///   - help: A sentence.
    public init(_ name: String, default defaultValue: Value? = nil, help: String) {
        self.init(
            name,
            help: help,
            defaultText: defaultValue?.defaultValueDescription,
            isRequired: defaultValue == nil,
            allowedValues: Value.allValueStrings,
            reader: .single(default: defaultValue)
        )
    }
}

extension Argument {
    /// An optional argument.
    public init<Element: ExpressibleByArgument>(_ name: String, help: String) where Value == Element? {
        self.init(name, help: help, defaultText: nil, allowedValues: Element.allValueStrings, reader: .optional())
    }

    /// An argument that takes all remaining words, possibly none.
    public init<Element: ExpressibleByArgument>(_ name: String, help: String) where Value == [Element] {
        self.init(
            name,
            help: help,
            defaultText: nil,
            isRepeated: true,
            allowedValues: Element.allValueStrings,
            reader: .list(default: [])
        )
    }
}
