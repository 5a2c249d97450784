/// Workflow code deviated from its history. This fails the workflow task, never the workflow: fix the code, and the
/// workflow continues from where it was.
public struct NondeterminismError: Error, Sendable, CustomStringConvertible {
    /// What happened.
    public struct Code: Sendable, Hashable {
        private enum Kind {
            case otherCommand, missingCommand, surplusCommand, escapedTask, foreignWait, otherThread, endless
        }
        private let kind: Kind

        /// The code issued a different command than the history has.
        public static let otherCommand = Code(kind: .otherCommand)
        /// The history has a command that the code did not issue.
        public static let missingCommand = Code(kind: .missingCommand)
        /// The code issued a command that the history does not have.
        public static let surplusCommand = Code(kind: .surplusCommand)
        /// The code created a task outside the workflow: `Task { }` or `Task.detached`.
        public static let escapedTask = Code(kind: .escapedTask)
        /// The code waits for something outside its context: `Task.sleep`, the main actor, a network call.
        public static let foreignWait = Code(kind: .foreignWait)
        /// The context was used, or the code resumed, by another thread.
        public static let otherThread = Code(kind: .otherThread)
        /// The code ran too long without waiting.
        public static let endless = Code(kind: .endless)
    }

    /// What happened.
    public let code: Code
    /// The id of the event where it was detected, or 0.
    public let eventID: Int64
    /// What the history has.
    public let expected: String?
    /// What the code did.
    public let found: String?
    private let explanation: String

    init(_ code: Code, _ explanation: String, eventID: Int64 = 0, expected: String? = nil, found: String? = nil) {
        self.code = code
        self.explanation = explanation
        self.eventID = eventID
        self.expected = expected
        self.found = found
    }

    /// What happened, at which event, and what was expected and found.
    public var description: String {
        var text = explanation
        if eventID > 0 { text += " at event \(eventID)" }
        if let expected { text += "; expected by the history: \(expected)" }
        if let found { text += "; found in the code: \(found)" }
        return text
    }

    static let escaped = NondeterminismError(
        .escapedTask,
        "the workflow created a task outside its executor (Task { } or Task.detached): use async let or a task group"
    )
    static let waitsForOther = NondeterminismError(
        .foreignWait,
        "the workflow waits for something outside its context (Task.sleep, MainActor, a lock, a network call): "
            + "use the context's sleep and condition, and activities for the rest"
    )
    static let resumedElsewhere = NondeterminismError(
        .otherThread,
        "the workflow was resumed from outside (after Task.sleep, MainActor or another executor): "
            + "wait only for the context"
    )
    static let endless = NondeterminismError(
        .endless,
        "the workflow ran for 2 s without waiting: an endless loop, or work that belongs in an activity. Its thread "
            + "is lost, and this process will not run it again"
    )
    static let usedElsewhere = NondeterminismError(
        .otherThread,
        "the workflow's context was used outside its executor: by a Task { }, another thread or another workflow"
    )
}
