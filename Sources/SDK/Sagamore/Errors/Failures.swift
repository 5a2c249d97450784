/// An activity failed after all its retries. ``cause`` is the reason: an ``ApplicationError``, a
/// ``TimeoutError`` or a ``CanceledError``.
public struct ActivityError: WorkflowFailure, CustomStringConvertible {
    /// The activity's name.
    public let activity: String
    /// The activity's id within its run.
    public let activityID: String
    /// Why it was not retried.
    public let retryState: RetryState
    /// Why it failed.
    public let cause: (any Error)?
    let scheduledEventID: Int64
    let startedEventID: Int64
    let identity: String

    init(
        activity: String,
        activityID: String,
        retryState: RetryState,
        cause: (any Error)?,
        scheduledEventID: Int64 = 0,
        startedEventID: Int64 = 0,
        identity: String = ""
    ) {
        self.activity = activity
        self.activityID = activityID
        self.retryState = retryState
        self.cause = cause
        self.scheduledEventID = scheduledEventID
        self.startedEventID = startedEventID
        self.identity = identity
    }

    /// Why an activity was not retried.
    public struct RetryState: Sendable, Hashable, RawRepresentable {
        /// The number on the wire.
        public let rawValue: Int32
        /// A state by its number on the wire.
        public init(rawValue: Int32) { self.rawValue = rawValue }
        /// Unspecified.
        public static let unspecified = RetryState(rawValue: 0)
        /// The failure is not retryable.
        public static let nonRetryableFailure = RetryState(rawValue: 2)
        /// A timeout of the activity as a whole.
        public static let timeout = RetryState(rawValue: 3)
        /// The policy allows no more attempts.
        public static let maximumAttemptsReached = RetryState(rawValue: 4)
        /// It was cancelled.
        public static let cancelRequested = RetryState(rawValue: 7)
    }

    /// The activity's name and the reason.
    public var description: String { "\(activity) failed" + (cause.map { ": \($0)" } ?? "") }
}

/// A timeout.
public struct TimeoutError: WorkflowFailure, CustomStringConvertible {
    /// The timeout that was exceeded.
    public struct Kind: Sendable, Hashable, RawRepresentable {
        /// The number on the wire.
        public let rawValue: Int32
        /// A kind by its number on the wire.
        public init(rawValue: Int32) { self.rawValue = rawValue }
        /// Unspecified.
        public static let unspecified = Kind(rawValue: 0)
        /// One attempt ran too long.
        public static let startToClose = Kind(rawValue: 1)
        /// No worker took the task in time.
        public static let scheduleToStart = Kind(rawValue: 2)
        /// All attempts together took too long.
        public static let scheduleToClose = Kind(rawValue: 3)
        /// No heartbeat came in time.
        public static let heartbeat = Kind(rawValue: 4)
    }

    /// A description for people.
    public let message: String
    /// The timeout that was exceeded.
    public let kind: Kind
    /// The details of the last heartbeat.
    public let lastHeartbeatDetails: EncodedValues
    /// The failure of the last attempt.
    public let cause: (any Error)?

    /// The message.
    public var description: String { message }
}

/// Something was cancelled: the workflow, an activity, a wait.
public struct CanceledError: WorkflowFailure, CustomStringConvertible {
    /// A description for people.
    public let message: String
    /// Values that go with it.
    public let details: EncodedValues
    /// The cause.
    public let cause: (any Error)?

    /// A cancellation with a message.
    public init(_ message: String, details: EncodedValues = EncodedValues(), cause: (any Error)? = nil) {
        self.message = message
        self.details = details
        self.cause = cause
    }

    /// The message.
    public var description: String { message }

    /// Whether `error` is a cancellation in any form: a `CancellationError`, a
    /// ``CanceledError``, or an ``ActivityError`` or a ``ChildWorkflowError`` caused by one.
    public static func isCancellation(_ error: any Error) -> Bool {
        if error is CancellationError || error is CanceledError { return true }
        if let failure = error as? ActivityError, let cause = failure.cause { return isCancellation(cause) }
        if let failure = error as? ChildWorkflowError, let cause = failure.cause { return isCancellation(cause) }
        return false
    }
}

/// A failure for which this SDK has no type: the server's own, a terminated or reset workflow, a refused child.
public struct ServerError: WorkflowFailure, CustomStringConvertible {
    /// A description for people.
    public let message: String
    /// The kind, as the contract calls it.
    public let kind: String
    /// The cause.
    public let cause: (any Error)?

    /// The message.
    public var description: String { message }
}

/// An error that ends a workflow as failed when `run` throws it.
///
/// Every other error that leaves `run` counts as a bug: it fails the workflow *task*, which is retried until the code
/// is fixed. The workflow then continues from where it was.
public protocol WorkflowFailure: Error {
    /// The cause, if any.
    var cause: (any Error)? { get }
}
