internal import SagamoreAPI
internal import SagamoreProtobuf

/// How often, and after which delay, a failed attempt is repeated.
public struct RetryPolicy: Sendable, Hashable {
    /// The delay before the second attempt. Temporal's default: 1 s.
    public var initialInterval: Duration
    /// The factor by which the delay grows. Temporal's default: 2.
    public var backoffCoefficient: Double
    /// The longest delay; nil means 100 times the first.
    public var maximumInterval: Duration?
    /// The maximum number of attempts; 0 means no limit.
    public var maximumAttempts: Int
    /// Types of ``ApplicationError`` that are not retried.
    public var nonRetryableErrorTypes: [String]

    /// Creates a policy with Temporal's defaults.
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

    /// A single attempt.
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
