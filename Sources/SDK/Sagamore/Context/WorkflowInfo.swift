/// The run, its workflow, and its task queue.
public struct WorkflowInfo: Sendable, Hashable {
    /// Its namespace.
    public let namespace: String
    /// The id that its starter chose.
    public let workflowID: String
    /// The id of this run of it.
    public let runID: String
    /// The name of its type.
    public let type: String
    /// The task queue of the workers that run it.
    public let taskQueue: String
    /// The attempt, from 1; more than 1 when a retry policy repeats the workflow.
    public let attempt: Int
}
