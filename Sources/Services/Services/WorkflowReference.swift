public import SagamoreEngine

/// A workflow, or one of its runs.
public struct WorkflowReference: Hashable, Sendable {
    /// The workflow.
    public let key: WorkflowKey
    /// The run, or nil for the current one.
    public let runID: RunID?
    /// The first run of the chain that an open run must belong to, in the client's words; nil for any chain.
    public let firstRunID: String?

    public init(key: WorkflowKey, runID: RunID?, firstRunID: String? = nil) {
        self.key = key
        self.runID = runID
        self.firstRunID = firstRunID
    }

    /// The error when there is no such workflow or run.
    public var missing: RequestError {
        guard let runID else { return .workflowNotFound(key.workflowID) }
        return .runNotFound(key.workflowID, runID)
    }
}
