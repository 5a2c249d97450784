/// What a JSON value is.
public enum JSONKind: String, Sendable {
    /// A string.
    case string
    /// A number.
    case number
    /// `true` or `false`.
    case bool
    /// `null`.
    case null
    /// An object.
    case object
    /// An array.
    case array

    /// Whether it is neither an object nor an array.
    public var isScalar: Bool {
        self != .object && self != .array
    }
}
