/// The input or output of something that takes or returns no value.
public struct Nothing: Codable, Hashable, Sendable {
    /// The only value.
    public init() {}
}
