/// The input or output of what takes or returns nothing.
public struct Nothing: Codable, Hashable, Sendable {
    /// The one value there is.
    public init() {}
}
