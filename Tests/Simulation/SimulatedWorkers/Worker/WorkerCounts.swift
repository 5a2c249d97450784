/// What a worker did, for a table of what was exercised.
public struct WorkerCounts: Counts {
    /// Workflow tasks that it received.
    public var workflowTasks = 0
    /// Those of its sticky queue that continued a run in its memory.
    public var continuedRuns = 0
    /// Those for which it read the whole history.
    public var fetchedHistories = 0
    /// Those that came with the answer to a completion.
    public var nextTasks = 0
    /// Workflow tasks that it reported as failed, forgot, or handled late.
    public var failedTasks = 0
    public var forgottenTasks = 0
    public var lateTasks = 0
    /// Completions that were refused.
    public var refusedCompletions = 0
    /// Queries that it answered, with a task or as tasks of their own.
    public var queries = 0
    /// Updates that it answered, and workflow tasks of which nothing came but rejections.
    public var updates = 0
    public var forgottenUpdateTasks = 0
    /// Attempts of activities that it received, and those of them that were eager.
    public var activities = 0
    public var eagerActivities = 0
    /// Attempts by their ends.
    public var completedActivities = 0
    public var failedActivities = 0
    public var canceledActivities = 0
    public var forgottenAttempts = 0
    public var lateAttempts = 0
    /// Answers of attempts that were refused: they came too late.
    public var refusedAnswers = 0
    public var heartbeats = 0
    /// Answers that were sent again, because no answer came, or with a token of an earlier time.
    public var repeatedAnswers = 0
    public var oldAnswers = 0
    /// Attempts that did not reach it.
    public var undelivered = 0
    public var kills = 0
    public var shutdowns = 0

    /// Nothing was done yet.
    public init() {}
}
