internal import SagamoreAPI
internal import SagamoreEngine
internal import SagamoreServices

extension Shard {
    /// Changes the options of an open run.
    func updateOptions(
        _ workflow: WorkflowReference,
        _ request: ExecutionOptionsRequest,
        _ caller: consuming Caller<WorkflowExecutionOptions>
    ) {
        guard !isFull else {
            return caller.refuse(
                RequestError(.resourceExhausted, "too many transitions wait to be committed; try again")
            )
        }
        resolve(workflow, caller) { (access: consuming RunAccess<WorkflowExecutionOptions>, resolved) in
            switch resolved {
            case .missing: access.fail(workflow.missing)
            case .closed: access.fail(.workflowClosed)
            case .cached(let run):
                let decision: Decision
                do throws(RequestError) {
                    decision = try run.execution.decide(request, at: access.shard.clock())
                } catch {
                    return access.fail(error)
                }
                guard case .options(let options) = decision.reply else { return }
                access.carryOut(decision, on: run, answering: options)
            }
        }
    }
}
