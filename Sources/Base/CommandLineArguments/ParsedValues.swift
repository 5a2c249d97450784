/// The values of a command's parameters.
public struct ParsedValues: Sendable {
    /// Where a parameter's value came from.
    public enum Source: Sendable, Equatable {
        /// The command line.
        case commandLine
        /// An environment variable, by name.
        case environment(String)
        /// Nothing was given: the value is the default, `nil`, `false` or empty.
        case missing
    }

    /// The words that selected the command, starting with the program's name.
    public let path: [String]

    /// The given texts by parameter key, all checked. A parameter that was not given has an empty list.
    let texts: [String: [String]]
    let sources: [String: Source]

    /// The value of an option of the command.
    public subscript<Value>(option: Option<Value>) -> Value {
        value(of: option.definition, option.reader)
    }

    /// The value of an argument of the command.
    public subscript<Value>(argument: Argument<Value>) -> Value {
        value(of: argument.definition, argument.reader)
    }

    /// Whether a flag of the command was given.
    public subscript(flag: Flag) -> Bool {
        value(of: flag.definition, flag.reader)
    }

    /// Where the value of a parameter came from, for commands that distinguish given values from defaults.
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
