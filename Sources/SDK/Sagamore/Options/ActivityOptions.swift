/// How an activity is run: its timeouts, its retries, and what becomes of it when it is cancelled.
public struct ActivityOptions: Sendable, Hashable {
    /// What a cancelled activity's caller waits for.
    public enum CancellationBehaviour: Sendable, Hashable {
        /// The activity is asked to end, and the caller goes on at once.
        case tryCancel
        /// The activity is asked to end, and the caller goes on when it has: a result that came in the meantime counts.
        case waitUntilEnded
        /// The activity is not told, and the caller goes on at once.
        case abandon
    }

    private struct Values: Hashable {
        var startToClose: Duration?
        var scheduleToClose: Duration?
        var scheduleToStart: Duration?
        var heartbeat: Duration?
        var retryPolicy: RetryPolicy?
        var taskQueue: String?
        var whenCancelled: CancellationBehaviour
    }

    /// The values behind a pointer. Options go through many frames of code that then waits, for each run in memory; by
    /// value they were most of what a run takes.
    ///
    /// Unchecked: who changes it is its only owner.
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

    /// How long an attempt may be silent, see ``ActivityContext/heartbeat(_:)``.
    public var heartbeat: Duration? {
        get { values.heartbeat }
        set { values.heartbeat = newValue }
    }

    /// How it is tried again; nil: as Temporal's servers do, without end.
    public var retryPolicy: RetryPolicy? {
        get { values.retryPolicy }
        set { values.retryPolicy = newValue }
    }

    /// Whose workers run it; nil: those of the workflow's task queue.
    public var taskQueue: String? {
        get { values.taskQueue }
        set { values.taskQueue = newValue }
    }

    /// What a cancelled activity's caller waits for.
    public var whenCancelled: CancellationBehaviour {
        get { values.whenCancelled }
        set { values.whenCancelled = newValue }
    }

    /// Options. At least one of `startToClose` and `scheduleToClose` is needed; the server refuses an activity without.
    public init(
        startToClose: Duration? = nil,
        scheduleToClose: Duration? = nil,
        scheduleToStart: Duration? = nil,
        heartbeat: Duration? = nil,
        retryPolicy: RetryPolicy? = nil,
        taskQueue: String? = nil,
        whenCancelled: CancellationBehaviour = .tryCancel
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

    /// Options with the time that one attempt may take, and how it is tried again.
    public static func startToClose(_ time: Duration, retryPolicy: RetryPolicy? = nil) -> ActivityOptions {
        ActivityOptions(startToClose: time, retryPolicy: retryPolicy)
    }

    /// Options with the time that all attempts together may take, and how it is tried again.
    public static func scheduleToClose(_ time: Duration, retryPolicy: RetryPolicy? = nil) -> ActivityOptions {
        ActivityOptions(scheduleToClose: time, retryPolicy: retryPolicy)
    }

    /// Whether two options say the same.
    public static func == (one: ActivityOptions, other: ActivityOptions) -> Bool {
        one.storage === other.storage || one.values == other.values
    }

    /// Puts all that they say into a hash.
    public func hash(into hasher: inout Hasher) { hasher.combine(values) }
}
