/// A business failure, thrown by an activity or a workflow and seen by its caller.
public struct ApplicationError: WorkflowFailure, CustomStringConvertible {
    /// A description for people.
    public var message: String
    /// The kind of failure, for programs: retry policies refer to it, and it is the same in every language.
    public var type: String
    /// Whether retrying is pointless; if so, no retry policy retries it.
    public var isNonRetryable: Bool
    /// Whether the failure is expected in normal operation; if so, workers log it at level debug.
    public var isBenign: Bool
    /// Values that go with the failure.
    public var details: EncodedValues
    /// The delay before the next attempt, instead of the retry policy's.
    public var nextRetryDelay: Duration?
    /// The cause.
    public var cause: (any Error)?

    /// A failure with a message and a type.
    public init(
        _ message: String,
        type: String = "ApplicationError",
        isNonRetryable: Bool = false,
        isBenign: Bool = false,
        details: EncodedValues = EncodedValues(),
        nextRetryDelay: Duration? = nil,
        cause: (any Error)? = nil
    ) {
        self.message = message
        self.type = type
        self.isNonRetryable = isNonRetryable
        self.isBenign = isBenign
        self.details = details
        self.nextRetryDelay = nextRetryDelay
        self.cause = cause
    }

    /// Type and message.
    public var description: String { "\(type): \(message)" }
}
