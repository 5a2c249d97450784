public import SagamoreAPI
public import SagamoreEngine
public import SagamoreServices

extension HistoryService {
    /// Deletes a run.
    public func delete(_ workflow: WorkflowReference, reply: Reply<Void>) {
        shard(workflow.key).delete(workflow, Caller(reply))
    }

    /// Begins a run that repeats the history of another one.
    public func reset(_ workflow: WorkflowReference, _ request: ResetRequest, reply: Reply<RunID>) {
        shard(workflow.key).reset(workflow, request, Caller(reply))
    }

    /// Changes the options of an open run.
    public func updateOptions(
        _ workflow: WorkflowReference,
        _ request: ExecutionOptionsRequest,
        reply: Reply<WorkflowExecutionOptions>
    ) {
        shard(workflow.key).updateOptions(workflow, request, Caller(reply))
    }
}
