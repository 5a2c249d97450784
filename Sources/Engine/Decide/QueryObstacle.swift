extension Execution {
    /// Why no worker could answer a query of this run, so that none should wait; nil where one can, sooner or later.
    public var queryObstacle: RequestError? {
        guard isRunning else { return nil }
        if durable.firstTaskDueAt != nil { return .workflowTaskNotScheduled }
        let attempt = durable.workflowTask?.attempt ?? 1
        return attempt < firstAttemptWithoutQueries ? nil : .workflowTaskKeepsFailing
    }
}

/// Code that fails its task fails it with a query as well. Temporal default: the third attempt.
private let firstAttemptWithoutQueries: Int32 = 3
