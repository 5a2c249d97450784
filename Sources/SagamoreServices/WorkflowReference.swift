public import SagamoreEngine

/// A workflow, or one run of it where a run id is given.
public struct WorkflowReference: Hashable, Sendable {
    public let key: WorkflowKey
    public let runID: RunID?

    public init(key: WorkflowKey, runID: RunID?) {
        self.key = key
        self.runID = runID
    }
}
