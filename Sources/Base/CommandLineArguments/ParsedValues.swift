/// What a command was given, by the parameters it declared.
public struct ParsedValues: Sendable {
    /// Where a parameter's value came from.
    public enum Source: Sendable, Equatable {
        /// It was given as an argument.
        case commandLine
        /// The variable's name.
        case environment(String)
        /// Nothing was given: it is the default, `nil`, `false` or empty.
        case missing
    }

    /// The words that led to the command, the program's name first.
    public let path: [String]

    /// The texts that were given, by the parameter's key, all checked. A parameter that wasn't given has an empty list.
    let texts: [String: [String]]
    let sources: [String: Source]

    /// The value of an option that the command declared.
    public subscript<Value>(option: Option<Value>) -> Value {
        value(of: option.definition, option.reader)
    }

    /// The value of an argument that the command declared.
    public subscript<Value>(argument: Argument<Value>) -> Value {
        value(of: argument.definition, argument.reader)
    }

    /// Whether a flag that the command declared was given.
    public subscript(flag: Flag) -> Bool {
        value(of: flag.definition, flag.reader)
    }

    /// Where the value of a parameter came from, for commands that treat a given value unlike a default.
    public func source(of parameter: any Parameter) -> Source {
        sources[parameter.definition.key] ?? .missing
    }

    private func value<Value>(of parameter: ParameterDefinition, _ reader: ValueReader<Value>) -> Value {
        guard let texts = texts[parameter.key] else {
            fatalError("\(path.joined(separator: " ")) reads \(parameter.key) without declaring it")
        }
        do {
            return try reader.read(texts)
        } catch {
            fatalError("two parameters are called \(parameter.key), and another one was declared than is read")
        }
    }
}
