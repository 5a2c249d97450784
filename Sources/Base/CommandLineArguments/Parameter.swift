/// What a command takes: an `Option`, a `Flag` or an `Argument`.
///
/// Parameters are values that are declared once, listed by a command, and used again to read what was given:
/// ```swift
/// let port = Option<UInt16>("--port", default: 7233, help: "Where gRPC listens.")
/// let command = Command("serve", abstract: "Serves.", parameters: [port]) { given in
///     try await serve(on: given[port])
/// }
/// ```
public protocol Parameter: Sendable {
    /// What the parser and the help know of it.
    var definition: ParameterDefinition { get }
}

/// What the parser and the help know of a parameter, whatever its type.
public struct ParameterDefinition: Sendable {
    enum Kind: Sendable {
        case flag
        case option(isRepeated: Bool)
        case argument(isRepeated: Bool)
    }

    let kind: Kind
    /// `--name` and perhaps `-n` of a flag or option, the placeholder of an argument; the first one is its key.
    let names: [String]
    /// The placeholder of the value.
    let valueName: String
    let help: String
    let defaultText: String?
    /// Environment variables that stand for it where the command line doesn't have it; the first one that is set.
    let environment: [String]
    let isRequired: Bool
    /// Whether its values are kept out of messages.
    let isSensitive: Bool
    let allowedValues: [String]
    /// Whether these texts, in the order in which they were given, are values of it.
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

/// A text that is no value of a parameter's type.
struct InvalidValue: Error {
    var text: String
    var expectation: String
}

/// How the texts that were given for a parameter become its value.
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
    /// The last text given, or the default; only a required parameter has none, and is always given.
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
