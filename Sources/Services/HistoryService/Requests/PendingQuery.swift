internal import SagamoreAPI
internal import SagamoreEngine
internal import SagamoreServices

/// A query that waits for a worker's answer.
final class PendingQuery: @unchecked Sendable {
    let id: UInt64
    let key: WorkflowKey
    let runID: RunID
    let query: WorkflowQuery
    let deadline: Instant
    let reply: Reply<QueryOutcome>
    /// The WorkflowTaskStarted event of the last task that a worker has completed. Changed under the shard's lock.
    var previousStartedEventID: Int64 = 0
    /// The task queue of its run, where it goes when the sticky one has no worker. Changed under the shard's lock.
    var taskQueue = ""

    init(
        id: UInt64,
        key: WorkflowKey,
        runID: RunID,
        query: WorkflowQuery,
        deadline: Instant,
        reply: Reply<QueryOutcome>
    ) {
        self.id = id
        self.key = key
        self.runID = runID
        self.query = query
        self.deadline = deadline
        self.reply = reply
    }
}
