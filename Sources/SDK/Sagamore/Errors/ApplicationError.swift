/// A failure of the business: what an activity or a workflow throws to fail, and what others see of it.
public struct ApplicationError: WorkflowFailure, CustomStringConvertible {
    /// A sentence for people.
    public var message: String
    /// The kind of failure, for programs: retry policies name it, and it crosses languages.
    public var type: String
    /// True: trying again is pointless, and no retry policy does.
    public var isNonRetryable: Bool
    /// True: expected in the course of business; a worker logs it as debug only.
    public var isBenign: Bool
    /// Values that go with the failure.
    public var details: EncodedValues
    /// When an activity is tried again, instead of what its retry policy says.
    public var nextRetryDelay: Duration?
    /// What led to it.
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
