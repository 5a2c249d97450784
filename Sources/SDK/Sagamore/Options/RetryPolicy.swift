internal import SagamoreAPI
internal import SagamoreProtobuf

/// How often, and how soon, something that failed is tried again.
public struct RetryPolicy: Sendable, Hashable {
    /// The pause before the second attempt. Temporal's default: 1 s.
    public var initialInterval: Duration
    /// By what the pause grows from attempt to attempt. Temporal's default: 2.
    public var backoffCoefficient: Double
    /// The longest pause; nil: a hundred times the first.
    public var maximumInterval: Duration?
    /// How many attempts there may be; 0: any number.
    public var maximumAttempts: Int
    /// Types of ``ApplicationError`` that are not tried again.
    public var nonRetryableErrorTypes: [String]

    /// A policy; what is not given is as Temporal's servers have it.
    public init(
        initialInterval: Duration = .seconds(1),
        backoffCoefficient: Double = 2,
        maximumInterval: Duration? = nil,
        maximumAttempts: Int = 0,
        nonRetryableErrorTypes: [String] = []
    ) {
        self.initialInterval = initialInterval
        self.backoffCoefficient = backoffCoefficient
        self.maximumInterval = maximumInterval
        self.maximumAttempts = maximumAttempts
        self.nonRetryableErrorTypes = nonRetryableErrorTypes
    }

    /// One attempt and no more.
    public static let once = RetryPolicy(maximumAttempts: 1)

    var message: SagamoreAPI.RetryPolicy {
        var message = SagamoreAPI.RetryPolicy()
        message.initialInterval = ProtobufDuration(initialInterval)
        message.backoffCoefficient = backoffCoefficient
        message.maximumInterval = maximumInterval.map { ProtobufDuration($0) }
        message.maximumAttempts = Int32(clamping: maximumAttempts)
        message.nonRetryableErrorTypes = nonRetryableErrorTypes
        return message
    }
}
