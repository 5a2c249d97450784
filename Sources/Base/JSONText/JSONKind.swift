/// What a JSON value is.
public enum JSONKind: String, Sendable {
    case string
    case number
    case bool
    case null
    case object
    case array

    /// Whether it is neither an object nor an array.
    public var isScalar: Bool {
        self != .object && self != .array
    }
}
