/// Options of an activity: timeouts, retries, task queue, and cancellation.
public struct ActivityOptions: Sendable, Hashable {
    /// How long the caller of a cancelled activity waits.
    public enum CancellationType: Sendable, Hashable {
        /// The activity is asked to end; the caller continues at once.
        case tryCancel
        /// The activity is asked to end; the caller waits for that. A result that arrives meanwhile counts.
        case waitCancellationCompleted
        /// The activity is not notified; the caller continues at once.
        case abandon
    }

    private struct Values: Hashable {
        var startToCloseTimeout: Duration?
        var scheduleToCloseTimeout: Duration?
        var scheduleToStartTimeout: Duration?
        var heartbeatTimeout: Duration?
        var retryPolicy: RetryPolicy?
        var taskQueue: String?
        var cancellationType: CancellationType
    }

    /// Holds the values behind a pointer. Options pass through many frames of suspended code, for every cached run;
    /// stored by value they made up most of a run's memory.
    ///
    /// Unchecked: only the unique owner writes.
    private final class Storage: @unchecked Sendable {
        var values: Values
        init(_ values: Values) { self.values = values }
    }

    private var storage: Storage

    private var values: Values {
        get { storage.values }
        set {
            if isKnownUniquelyReferenced(&storage) {
                storage.values = newValue
            } else {
                storage = Storage(newValue)
            }
        }
    }

    /// How long one attempt may take.
    public var startToCloseTimeout: Duration? {
        get { values.startToCloseTimeout }
        set { values.startToCloseTimeout = newValue }
    }

    /// How long all attempts together may take.
    public var scheduleToCloseTimeout: Duration? {
        get { values.scheduleToCloseTimeout }
        set { values.scheduleToCloseTimeout = newValue }
    }

    /// How long a task may wait for a worker.
    public var scheduleToStartTimeout: Duration? {
        get { values.scheduleToStartTimeout }
        set { values.scheduleToStartTimeout = newValue }
    }

    /// The maximum time between heartbeats, see ``ActivityContext/heartbeat(_:)``.
    public var heartbeatTimeout: Duration? {
        get { values.heartbeatTimeout }
        set { values.heartbeatTimeout = newValue }
    }

    /// The retry policy; nil means the server's default, which has no limit.
    public var retryPolicy: RetryPolicy? {
        get { values.retryPolicy }
        set { values.retryPolicy = newValue }
    }

    /// The task queue of the workers that run it; nil means the workflow's.
    public var taskQueue: String? {
        get { values.taskQueue }
        set { values.taskQueue = newValue }
    }

    /// How long the caller of a cancelled activity waits.
    public var cancellationType: CancellationType {
        get { values.cancellationType }
        set { values.cancellationType = newValue }
    }

    /// Options with a limit for one attempt.
    public init(
        startToCloseTimeout: Duration,
        scheduleToCloseTimeout: Duration? = nil,
        scheduleToStartTimeout: Duration? = nil,
        heartbeatTimeout: Duration? = nil,
        retryPolicy: RetryPolicy? = nil,
        taskQueue: String? = nil,
        cancellationType: CancellationType = .tryCancel
    ) {
        storage = Storage(
            Values(
                startToCloseTimeout: startToCloseTimeout,
                scheduleToCloseTimeout: scheduleToCloseTimeout,
                scheduleToStartTimeout: scheduleToStartTimeout,
                heartbeatTimeout: heartbeatTimeout,
                retryPolicy: retryPolicy,
                taskQueue: taskQueue,
                cancellationType: cancellationType
            )
        )
    }

    /// Options with a limit for all attempts together, and none for one of them.
    public init(
        scheduleToCloseTimeout: Duration,
        scheduleToStartTimeout: Duration? = nil,
        heartbeatTimeout: Duration? = nil,
        retryPolicy: RetryPolicy? = nil,
        taskQueue: String? = nil,
        cancellationType: CancellationType = .tryCancel
    ) {
        storage = Storage(
            Values(
                startToCloseTimeout: nil,
                scheduleToCloseTimeout: scheduleToCloseTimeout,
                scheduleToStartTimeout: scheduleToStartTimeout,
                heartbeatTimeout: heartbeatTimeout,
                retryPolicy: retryPolicy,
                taskQueue: taskQueue,
                cancellationType: cancellationType
            )
        )
    }

    /// Options with a limit for one attempt, and a retry policy.
    public static func startToCloseTimeout(_ time: Duration, retryPolicy: RetryPolicy? = nil) -> ActivityOptions {
        ActivityOptions(startToCloseTimeout: time, retryPolicy: retryPolicy)
    }

    /// Options with a limit for all attempts together, and a retry policy.
    public static func scheduleToCloseTimeout(_ time: Duration, retryPolicy: RetryPolicy? = nil) -> ActivityOptions {
        ActivityOptions(scheduleToCloseTimeout: time, retryPolicy: retryPolicy)
    }

    /// Whether two values are equal.
    public static func == (one: ActivityOptions, other: ActivityOptions) -> Bool {
        one.storage === other.storage || one.values == other.values
    }

    /// Hashes every option.
    public func hash(into hasher: inout Hasher) { hasher.combine(values) }
}
