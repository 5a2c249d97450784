/// A worker's limits, and how it stops.
public struct WorkerOptions: Sendable {
    /// The number of runs kept in memory between their workflow tasks. Each takes about 10 kB plus its state. An
    /// evicted run is rebuilt from its history. With 0, every task rebuilds its run.
    public var maximumCachedRuns = 2_000
    /// The maximum number of concurrent workflow tasks.
    public var maximumConcurrentWorkflowTasks = 100
    /// The maximum number of concurrent activities, each on its own thread.
    public var maximumConcurrentActivities = 100
    /// The number of threads for workflow code; nil means one per processor, at least two.
    public var workflowThreads: Int?
    /// The number of concurrent polls of the task queue.
    public var workflowPollers = 4
    /// The number of concurrent polls for runs in this worker's memory.
    public var stickyPollers = 8
    /// The number of concurrent polls for activities. Activities scheduled by this worker's workflow tasks need no
    /// poll: they arrive with the response while there are free slots.
    public var activityPollers = 4
    /// How long a run's next task waits for this worker before any worker may take it.
    /// The other SDKs' default: 10 s (Go: 5 s).
    public var stickyTimeout = Duration.seconds(10)
    /// How long activities may continue when the worker stops. Then they are cancelled, and another worker retries
    /// them.
    public var gracefulShutdownPeriod = Duration.seconds(10)
    /// Whether SIGTERM and SIGINT stop the worker gracefully. A second signal ends the process at once.
    public var stopsOnSignals = true

    /// The defaults.
    public init() {}

    /// The number of pollers for workflow tasks that fit in the slots. Each poll holds a slot, so where slots are few
    /// neither kind of poller may take all of them. With a single slot there is no sticky queue.
    var pollersThatFit: (normal: Int, sticky: Int) {
        let slots = maximumConcurrentWorkflowTasks
        let sticky = maximumCachedRuns > 0 ? min(stickyPollers, slots / 2) : 0
        return (max(1, min(workflowPollers, slots - sticky)), sticky)
    }

    /// The first invalid value, or nil.
    var problem: String? {
        let positive = [
            ("maximumConcurrentWorkflowTasks", maximumConcurrentWorkflowTasks),
            ("maximumConcurrentActivities", maximumConcurrentActivities), ("workflowPollers", workflowPollers),
            ("stickyPollers", stickyPollers), ("activityPollers", activityPollers),
            ("workflowThreads", workflowThreads ?? 1),
        ]
        if let (name, value) = positive.first(where: { $0.1 < 1 }) {
            return "\(name) is \(value): it must be at least 1"
        }
        if maximumCachedRuns < 0 { return "maximumCachedRuns is \(maximumCachedRuns): it must be at least 0" }
        if stickyTimeout <= .zero { return "stickyTimeout is \(stickyTimeout): it must be positive" }
        guard gracefulShutdownPeriod < .zero else { return nil }
        return "gracefulShutdownPeriod is \(gracefulShutdownPeriod): it must be at least 0"
    }
}
