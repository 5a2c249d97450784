public import SagamoreEngine

/// A workflow, or one of its runs.
public struct WorkflowReference: Hashable, Sendable {
    /// The workflow.
    public let key: WorkflowKey
    /// The run, or nil for the current one.
    public let runID: RunID?
    /// Whether the run was named as the first one of a chain, for which the error message differs.
    public let namesChain: Bool

    public init(key: WorkflowKey, runID: RunID?, namesChain: Bool = false) {
        self.key = key
        self.runID = runID
        self.namesChain = namesChain
    }

    /// The error when there is no such workflow or run.
    public var missing: RequestError {
        if namesChain { return .chainNotFound }
        guard let runID else { return .workflowNotFound(key.workflowID) }
        return .runNotFound(key.workflowID, runID)
    }
}
