public import SagamoreEngine

/// A workflow, or one run of it where a run id is given.
public struct WorkflowReference: Hashable, Sendable {
    /// The workflow.
    public let key: WorkflowKey
    /// The run, or nil for the current one.
    public let runID: RunID?
    /// The run was named as the first one of a chain: when it is not there, the answer is in other words.
    public let namesChain: Bool

    public init(key: WorkflowKey, runID: RunID?, namesChain: Bool = false) {
        self.key = key
        self.runID = runID
        self.namesChain = namesChain
    }

    /// The error when there is no such workflow, or no such run of it.
    public var missing: RequestError {
        if namesChain { return .chainNotFound }
        guard let runID else { return .workflowNotFound(key.workflowID) }
        return .runNotFound(key.workflowID, runID)
    }
}
