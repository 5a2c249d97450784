/// What is wrong with a filter, and where.
struct FilterError: Error, Equatable, Sendable, CustomStringConvertible {
    /// What was expected, or cannot be.
    let reason: String
    /// The character at which that is so, from 1; nil where it is about the whole.
    let position: Int?
    /// What may have been meant.
    let hint: String?
    /// Whether it names what something else can be found by.
    let isOfOtherSubject: Bool

    init(_ reason: String, at position: Int? = nil, hint: String? = nil, isOfOtherSubject: Bool = false) {
        self.isOfOtherSubject = isOfOtherSubject
        self.reason = reason
        self.position = position
        self.hint = hint
    }

    var description: String {
        reason + (position.map { " at character \($0)" } ?? "") + (hint.map { ". \($0)" } ?? "")
    }
}
