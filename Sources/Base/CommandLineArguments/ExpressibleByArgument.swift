/// A type that can be parsed from a command line argument.
public protocol ExpressibleByArgument: Sendable {
    /// - Returns: `nil` when the text is not a value of this type.
    init?(argument: String)

    /// The expected value for error messages, with its article: `a whole number`.
    static var expectation: String { get }

    /// All accepted texts if they can be listed; otherwise empty.
    static var allValueStrings: [String] { get }

    /// The text of this value as a default in help.
    var defaultValueDescription: String { get }
}

extension ExpressibleByArgument {
    /// A value.
    public static var expectation: String { "a value" }

    /// None are listed.
    public static var allValueStrings: [String] { [] }

    /// The value's own description.
    public var defaultValueDescription: String { "\(self)" }
}

extension String: ExpressibleByArgument {
    /// Accepts every text.
    public init?(argument: String) {
        self = argument
    }
}

extension Int: ExpressibleByArgument {
    /// Accepts decimal digits with an optional sign.
    public init?(argument: String) {
        self.init(argument)
    }

    /// A whole number.
    public static var expectation: String { "a whole number" }
}

extension UInt16: ExpressibleByArgument {
    /// Accepts a port: decimal digits, 0 to 65535.
    public init?(argument: String) {
        self.init(argument)
    }

    /// A port's range.
    public static var expectation: String { "a number from 0 to 65535" }
}

extension Double: ExpressibleByArgument {
    /// Accepts a finite decimal number.
    public init?(argument: String) {
        self.init(argument)
        guard isFinite else { return nil }
    }

    /// A number.
    public static var expectation: String { "a number" }
}

extension Bool: ExpressibleByArgument {
    /// Accepts `true`, `yes`, `1` and `false`, `no`, `0`.
    public init?(argument: String) {
        switch argument.lowercased() {
        case "true", "yes", "1": self = true
        case "false", "no", "0": self = false
        default: return nil
        }
    }

    /// Either of two words.
    public static var expectation: String { "true or false" }
}

extension ExpressibleByArgument where Self: RawRepresentable, RawValue == String {
    /// The raw value.
    public init?(argument: String) {
        self.init(rawValue: argument)
    }

    /// The raw value.
    public var defaultValueDescription: String { rawValue }
}

extension ExpressibleByArgument where Self: RawRepresentable & CaseIterable, RawValue == String {
    /// The raw values in the order of the cases.
    public static var allValueStrings: [String] { allCases.map(\.rawValue) }

    /// One of the raw values.
    public static var expectation: String { "one of \(allValueStrings.joined(separator: ", "))" }
}
