public import SagamoreEngine

/// How a simulated worker is set up.
public struct WorkerConfiguration: Sendable {
    /// The worker's name, which is its identity.
    public var name: String
    /// The number of the namespace.
    public var namespace: Int32 = 1
    /// The task queue for workflow tasks and activities.
    public var taskQueue = "sagas"
    /// Polls for workflow tasks of the normal queue at a time.
    public var workflowPolls = 2
    /// Polls for workflow tasks of the sticky queue at a time; 0 for a worker that keeps no runs.
    public var stickyPolls = 2
    /// Polls for activities at a time.
    public var activityPolls = 4
    /// Activities at a time, with the eager ones.
    public var mostActivities = 16
    /// Runs that are kept in memory.
    public var mostCachedRuns = 32
    /// How long a task may wait in the sticky queue.
    public var stickyTimeout = Interval.seconds(5)
    /// How long a poll waits.
    public var pollTimeout = Interval.seconds(60)
    /// How long an answer is waited for before it is sent again.
    public var answerTimeout = Interval.seconds(5)

    /// A worker with the defaults of everything else.
    public init(_ name: String) { self.name = name }
}
