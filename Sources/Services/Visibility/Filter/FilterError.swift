/// What is wrong with a filter, and where.
struct FilterError: Error, Equatable, Sendable, CustomStringConvertible {
    /// What was expected, or cannot be.
    let reason: String
    /// The character at which that is so, from 1; nil where it is about the whole.
    let position: Int?
    /// What may have been meant.
    let hint: String?

    init(_ reason: String, at position: Int? = nil, hint: String? = nil) {
        self.reason = reason
        self.position = position
        self.hint = hint
    }

    var description: String {
        reason + (position.map { " at character \($0)" } ?? "") + (hint.map { ". \($0)" } ?? "")
    }
}
