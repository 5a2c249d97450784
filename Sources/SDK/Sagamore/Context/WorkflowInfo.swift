/// Which run this is.
public struct WorkflowInfo: Sendable, Hashable {
    /// The namespace it lives in.
    public let namespace: String
    /// The id that its starter chose.
    public let workflowID: String
    /// The id of this run of it.
    public let runID: String
    /// The name of its type.
    public let type: String
    /// Whose workers run it.
    public let taskQueue: String
    /// 1, or more where the workflow has a retry policy and failed before.
    public let attempt: Int
}
