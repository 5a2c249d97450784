/// A check that failed.
public struct Violation: Error, Sendable, Equatable {
    /// The check's name.
    public let check: String
    /// What it found.
    public let finding: String

    /// - Parameter check: a name that stays the same for different findings: shrinking compares it.
    public init(_ check: String, _ finding: String) {
        self.check = check
        self.finding = finding
    }
}
