public import SagamoreEngine

/// How often a worker misbehaves. Rates are from 0 (never) to 1 (always). The network has faults of its own.
public struct WorkerFaults: Sendable {
    /// Workflow tasks that are forgotten, and time out.
    public var forgottenTasks = 0.0
    /// Workflow tasks that are reported as failed.
    public var failedTasks = 0.0
    /// Workflow tasks that are handled only after up to `longestPause`.
    public var lateTasks = 0.0
    /// Runs that are dropped from memory after a task.
    public var evictions = 0.0
    /// Completions that ask for the next task at once.
    public var nextTasks = 0.5
    /// Completions that demand another task.
    public var forcedTasks = 0.0
    /// Attempts of activities that are forgotten, and time out.
    public var forgottenAttempts = 0.0
    /// Attempts that take up to `longestPause` longer.
    public var lateAttempts = 0.0
    /// Old answers that are sent again after the newest one, with the token of that time.
    public var repeatedAnswers = 0.0
    /// Undelivered activity tasks of which the service is told at once, as the front does when it can't send.
    public var returnedTasks = 0.5
    /// The longest pause of a late task or attempt.
    public var longestPause = Interval.seconds(15)

    /// A worker without faults.
    public init() {}

    /// A worker with all faults, each at this rate.
    public init(rate: Double) {
        forgottenTasks = rate
        failedTasks = rate
        lateTasks = rate
        evictions = rate
        forcedTasks = rate
        forgottenAttempts = rate
        lateAttempts = rate
        repeatedAnswers = rate
    }
}
