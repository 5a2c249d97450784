public import SagamoreEngine

/// What a client does, and how often. Rates are for each saga, from 0 (never) to 1 (always).
public struct ClientPlan: Sendable {
    /// The client's name; part of all its ids.
    public var name: String
    /// The number of the namespace.
    public var namespace: Int32 = 1
    /// The task queue of its sagas.
    public var taskQueue = "sagas"
    /// The sagas that it starts.
    public var sagas = 100
    /// Sagas that are open at a time.
    public var sagasAtOnce = 16
    /// What its sagas consist of.
    public var mix = ScriptMix()
    /// How long after the start other requests come, at most.
    public var span = Interval.seconds(2)
    /// Starts that are sent once more after they were acknowledged.
    public var repeatedStarts = 0.1
    /// Starts of the same workflow under another request id.
    public var rivals = 0.03
    /// Starts with a delay of the first workflow task.
    public var startDelays = 0.03
    /// Starts with a timeout of the run.
    public var runTimeouts = 0.02
    /// Signals besides those that the script waits for.
    public var extraSignals = 0.15
    public var cancels = 0.05
    public var terminations = 0.02
    public var queries = 0.2
    public var updates = 0.2
    public var descriptions = 0.1
    /// Whole histories that are read.
    public var reads = 0.1
    /// Histories that are followed to their end.
    public var followers = 0.1
    /// How long an answer is waited for.
    public var timeout = Interval.seconds(5)

    /// A plan with the defaults of everything else.
    public init(_ name: String) { self.name = name }

    /// Without requests that end sagas otherwise than their scripts do, or that are not needed.
    public static func plain(_ name: String) -> ClientPlan {
        var plan = ClientPlan(name)
        plan.repeatedStarts = 0
        plan.rivals = 0
        plan.startDelays = 0
        plan.runTimeouts = 0
        plan.extraSignals = 0
        plan.cancels = 0
        plan.terminations = 0
        plan.queries = 0
        plan.updates = 0
        plan.descriptions = 0
        plan.reads = 0
        plan.followers = 0
        return plan
    }
}

/// What a client did, for a table of what was exercised.
public struct ClientCounts: Counts {
    /// Starts by their outcomes.
    public var starts = 0
    public var existingRuns = 0
    public var refusedStarts = 0
    /// Runs that a late copy of a refused start has started.
    public var strayRuns = 0
    public var signals = 0
    public var refusedSignals = 0
    public var cancels = 0
    public var terminations = 0
    public var refusedTerminations = 0
    /// Queries by their outcomes.
    public var answeredQueries = 0
    public var failedQueries = 0
    /// Updates by what was heard of them.
    public var updates = 0
    public var waitingUpdates = 0
    public var refusedUpdates = 0
    public var descriptions = 0
    public var pages = 0
    /// Requests that were sent again.
    public var retries = 0
    /// Runs by how they closed.
    public var completedRuns = 0
    public var failedRuns = 0
    public var canceledRuns = 0
    public var terminatedRuns = 0
    public var timedOutRuns = 0
    public var kills = 0

    /// Nothing was done yet.
    public init() {}
}
