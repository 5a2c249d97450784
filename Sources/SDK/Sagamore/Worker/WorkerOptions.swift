/// How much a worker does at a time, and how it ends.
public struct WorkerOptions: Sendable {
    /// How many runs stay in memory between their workflow tasks. One costs some 10 kB and what its state takes; a run
    /// that is not there any more is rebuilt from its history. 0: every task rebuilds its run.
    public var maximumCachedRuns = 2_000
    /// How many workflow tasks are taken at a time.
    public var maximumConcurrentWorkflowTasks = 100
    /// How many activities run at a time, each on a thread of its own.
    public var maximumConcurrentActivities = 100
    /// How many threads run workflow code; nil: as many as there are processors, two at least.
    public var workflowThreads: Int?
    /// How many calls wait for workflow tasks that any worker of the queue may take.
    public var workflowPollers = 4
    /// How many calls wait for workflow tasks of runs that are in this worker's memory.
    public var stickyPollers = 8
    /// How many calls wait for activities. Those that a workflow task of this worker schedules need none: they come with
    /// the answer, as long as there is room.
    public var activityPollers = 4
    /// How long a run's next task waits for this worker, which has the run in memory, before any worker may take it.
    /// The other SDKs' default: 10 s (Go: 5 s).
    public var stickyTimeout = Duration.seconds(10)
    /// When the worker stops: how long activities may go on. Then they are cancelled, and what they leave undone is tried
    /// again by another worker.
    public var gracefulStop = Duration.seconds(10)
    /// Whether SIGTERM and SIGINT stop the worker in order. The second signal ends the process at once.
    public var stopsOnSignals = true

    /// The defaults.
    public init() {}

    /// How many calls may wait for workflow tasks. Each holds a slot while it waits, so where slots are few both kinds
    /// have to find room: else the one would be waited for in vain while the other fills all slots. With a single slot
    /// there is none for a queue of one's own.
    var pollersThatFit: (normal: Int, sticky: Int) {
        let slots = maximumConcurrentWorkflowTasks
        let sticky = maximumCachedRuns > 0 ? min(stickyPollers, slots / 2) : 0
        return (max(1, min(workflowPollers, slots - sticky)), sticky)
    }

    /// What is wrong with them; nil: nothing.
    var problem: String? {
        let positive = [
            ("maximumConcurrentWorkflowTasks", maximumConcurrentWorkflowTasks),
            ("maximumConcurrentActivities", maximumConcurrentActivities), ("workflowPollers", workflowPollers),
            ("stickyPollers", stickyPollers), ("activityPollers", activityPollers),
            ("workflowThreads", workflowThreads ?? 1),
        ]
        if let (name, value) = positive.first(where: { $0.1 < 1 }) {
            return "\(name) is \(value): at least 1 is needed"
        }
        if maximumCachedRuns < 0 { return "maximumCachedRuns is \(maximumCachedRuns): at least 0 is needed" }
        if stickyTimeout <= .zero { return "stickyTimeout is \(stickyTimeout): it must be longer than nothing" }
        return gracefulStop < .zero ? "gracefulStop is \(gracefulStop): at least 0 is needed" : nil
    }
}
