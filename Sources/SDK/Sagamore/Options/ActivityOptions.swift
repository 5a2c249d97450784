/// Options of an activity: timeouts, retries, task queue, and cancellation.
public struct ActivityOptions: Sendable, Hashable {
    /// How long the caller of a cancelled activity waits.
    public enum CancellationBehavior: Sendable, Hashable {
        /// The activity is asked to end; the caller continues at once.
        case tryCancel
        /// The activity is asked to end; the caller waits for that. A result that arrives meanwhile counts.
        case waitUntilEnded
        /// The activity is not notified; the caller continues at once.
        case abandon
    }

    private struct Values: Hashable {
        var startToClose: Duration?
        var scheduleToClose: Duration?
        var scheduleToStart: Duration?
        var heartbeat: Duration?
        var retryPolicy: RetryPolicy?
        var taskQueue: String?
        var whenCancelled: CancellationBehavior
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
    public var startToClose: Duration? {
        get { values.startToClose }
        set { values.startToClose = newValue }
    }

    /// How long all attempts together may take.
    public var scheduleToClose: Duration? {
        get { values.scheduleToClose }
        set { values.scheduleToClose = newValue }
    }

    /// How long a task may wait for a worker.
    public var scheduleToStart: Duration? {
        get { values.scheduleToStart }
        set { values.scheduleToStart = newValue }
    }

    /// The maximum time between heartbeats, see ``ActivityContext/heartbeat(_:)``.
    public var heartbeat: Duration? {
        get { values.heartbeat }
        set { values.heartbeat = newValue }
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
    public var whenCancelled: CancellationBehavior {
        get { values.whenCancelled }
        set { values.whenCancelled = newValue }
    }

    /// Creates options. `startToClose` or `scheduleToClose` is required; the server rejects an activity without either.
    public init(
        startToClose: Duration? = nil,
        scheduleToClose: Duration? = nil,
        scheduleToStart: Duration? = nil,
        heartbeat: Duration? = nil,
        retryPolicy: RetryPolicy? = nil,
        taskQueue: String? = nil,
        whenCancelled: CancellationBehavior = .tryCancel
    ) {
        storage = Storage(
            Values(
                startToClose: startToClose,
                scheduleToClose: scheduleToClose,
                scheduleToStart: scheduleToStart,
                heartbeat: heartbeat,
                retryPolicy: retryPolicy,
                taskQueue: taskQueue,
                whenCancelled: whenCancelled
            )
        )
    }

    /// Options with a limit for one attempt, and a retry policy.
    public static func startToClose(_ time: Duration, retryPolicy: RetryPolicy? = nil) -> ActivityOptions {
        ActivityOptions(startToClose: time, retryPolicy: retryPolicy)
    }

    /// Options with a limit for all attempts together, and a retry policy.
    public static func scheduleToClose(_ time: Duration, retryPolicy: RetryPolicy? = nil) -> ActivityOptions {
        ActivityOptions(scheduleToClose: time, retryPolicy: retryPolicy)
    }

    /// Whether two values are equal.
    public static func == (one: ActivityOptions, other: ActivityOptions) -> Bool {
        one.storage === other.storage || one.values == other.values
    }

    /// Hashes every option.
    public func hash(into hasher: inout Hasher) { hasher.combine(values) }
}
