public import SagamoreServices

extension HistoryService {
    /// Deletes a run.
    public func delete(_ workflow: WorkflowReference, reply: Reply<Void>) {
        shard(workflow.key).delete(workflow, Caller(reply))
    }
}
