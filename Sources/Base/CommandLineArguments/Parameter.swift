/// A parameter of a command: an `Option`, a `Flag` or an `Argument`.
///
/// Parameters are declared once, listed by a command, and used as keys to read the values:
/// ```swift
/// let port = Option<UInt16>("--port", default: 7233, help: "Where gRPC listens.")
/// let command = Command("serve", abstract: "Serves.", parameters: [port]) { given in
///     try await serve(on: given[port])
/// }
/// ```
public protocol Parameter: Sendable {
    /// Its definition, for the parser and the help.
    var definition: ParameterDefinition { get }
}

/// The definition of a parameter with its type erased, for the parser and the help.
public struct ParameterDefinition: Sendable {
    enum Kind: Sendable {
        case flag
        case option(isRepeated: Bool)
        case argument(isRepeated: Bool)
    }

    let kind: Kind
    /// `--name` and optionally `-n` of a flag or option, or the placeholder of an argument. The first one is its key.
    let names: [String]
    /// The placeholder of the value.
    let valueName: String
    let help: String
    let defaultText: String?
    /// Environment variables that can set it when the command line does not. The first nonempty one counts.
    let environment: [String]
    let isRequired: Bool
    /// Whether messages omit its values.
    let isSensitive: Bool
    let allowedValues: [String]
    /// Checks the given texts, in order.
    let check: @Sendable ([String]) throws(InvalidValue) -> Void

    var key: String { names[0] }

    var isArgument: Bool {
        if case .argument = kind { true } else { false }
    }

    var isFlag: Bool {
        if case .flag = kind { true } else { false }
    }

    var isRepeated: Bool {
        switch kind {
        case .flag: false
        case .option(let isRepeated), .argument(let isRepeated): isRepeated
        }
    }
}

/// A text that is not a value of the parameter's type.
struct InvalidValue: Error {
    var text: String
    var expectation: String
}

/// Converts the texts given for a parameter to its value.
struct ValueReader<Value: Sendable>: Sendable {
    let read: @Sendable ([String]) throws(InvalidValue) -> Value

    static func one<Element: ExpressibleByArgument>(_ text: String) throws(InvalidValue) -> Element {
        guard let value = Element(argument: text) else {
            throw InvalidValue(text: text, expectation: Element.expectation)
        }
        return value
    }
}

extension ValueReader where Value: ExpressibleByArgument {
    /// The last text, or the default. A required parameter has no default but always a text.
    static func single(default defaultValue: Value?) -> ValueReader {
        ValueReader { (texts) throws(InvalidValue) in
            if let text = texts.last { return try one(text) }
            guard let defaultValue else { throw InvalidValue(text: "", expectation: Value.expectation) }
            return defaultValue
        }
    }
}

extension ValueReader {
    static func optional<Element: ExpressibleByArgument>() -> ValueReader where Value == Element? {
        ValueReader { (texts) throws(InvalidValue) in
            guard let text = texts.last else { return nil }
            let value: Element = try one(text)
            return value
        }
    }

    static func list<Element: ExpressibleByArgument>(default defaultValue: Value) -> ValueReader
    where Value == [Element] {
        ValueReader { (texts) throws(InvalidValue) in
            guard !texts.isEmpty else { return defaultValue }
            var values: [Element] = []
            for text in texts { values.append(try one(text)) }
            return values
        }
    }
}
