/// A parameter without a name, known by its place: `sagamore workflow show ID`.
///
/// Its type says how often it is expected: `Argument<Int>` has a default or is required, `Argument<Int?>` may be
/// missing, `Argument<[Int]>` takes all that is left.
public struct Argument<Value: Sendable>: Parameter {
    /// What the parser and the help know of it.
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
    /// An argument with a default, or one that has to be given.
    /// - Parameters:
    ///   - name: The placeholder in help.
    ///   - defaultValue: The value where none is given. Without it the argument is required.
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
    /// An argument that may be missing.
    public init<Element: ExpressibleByArgument>(_ name: String, help: String) where Value == Element? {
        self.init(name, help: help, defaultText: nil, allowedValues: Element.allValueStrings, reader: .optional())
    }

    /// An argument that takes all that is left, perhaps nothing.
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
