/// A user's own room of a common name.
public struct Logger: Sendable {
    public init() {}
    public func log(_ text: String) { print("shop: \(text)") }
}
