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

    /// How long one attempt may take.
    public var startToClose: Duration?
    /// How long all attempts together may take.
    public var scheduleToClose: Duration?
    /// How long a task may wait for a worker.
    public var scheduleToStart: Duration?
    /// How long an attempt may be silent, see ``ActivityContext/heartbeat(_:)``.
    public var heartbeat: Duration?
    /// How it is tried again; nil: as Temporal's servers do, without end.
    public var retryPolicy: RetryPolicy?
    /// Whose workers run it; nil: those of the workflow's task queue.
    public var taskQueue: String?
    /// What a cancelled activity's caller waits for.
    public var whenCancelled: CancellationBehaviour

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
        self.startToClose = startToClose
        self.scheduleToClose = scheduleToClose
        self.scheduleToStart = scheduleToStart
        self.heartbeat = heartbeat
        self.retryPolicy = retryPolicy
        self.taskQueue = taskQueue
        self.whenCancelled = whenCancelled
    }

    /// Options with the time that one attempt may take, and how it is tried again.
    public static func startToClose(_ time: Duration, retryPolicy: RetryPolicy? = nil) -> ActivityOptions {
        ActivityOptions(startToClose: time, retryPolicy: retryPolicy)
    }

    /// Options with the time that all attempts together may take, and how it is tried again.
    public static func scheduleToClose(_ time: Duration, retryPolicy: RetryPolicy? = nil) -> ActivityOptions {
        ActivityOptions(scheduleToClose: time, retryPolicy: retryPolicy)
    }
}
