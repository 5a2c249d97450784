extension Execution {
    /// Why no worker can answer queries of this run, so that they must not wait; nil when one can, sooner or later.
    public var queryObstacle: RequestError? {
        guard isRunning else { return nil }
        if durable.firstTaskDueAt != nil { return .workflowTaskNotScheduled }
        let attempt = workflowTask?.attempt ?? 1
        return attempt < firstAttemptWithoutQueries ? nil : .workflowTaskKeepsFailing
    }
}

/// Code that fails its workflow task fails queries as well. Temporal's default: from the third attempt.
private let firstAttemptWithoutQueries: Int32 = 3
