internal import SagamoreAPI
internal import SagamoreEngine
internal import SagamoreServices

/// What operators do to pending activities.
extension Shard {
    func operate(
        _ operation: ActivityOperation,
        on activities: ActivitySelection,
        of workflow: WorkflowReference,
        identity: String,
        _ caller: consuming Caller<ActivityOptions?>
    ) {
        guard !isFull else { return caller.refuse(.tooManyTransitions) }
        resolve(workflow, caller) { (access: consuming RunAccess<ActivityOptions?>, resolved) in
            switch resolved {
            case .missing: access.fail(workflow.missing)
            case .closed: access.fail(.workflowClosed)
            case .cached(let run):
                let shard = access.shard
                let decision: Decision
                do throws(RequestError) {
                    let (now, limits) = (shard.clock(), shard.configuration.limits)
                    let random = shard.state.random.next()
                    decision = try run.decide { (execution) throws(RequestError) in
                        try execution.decide(
                            operation,
                            on: activities,
                            identity: identity,
                            random: random,
                            at: now,
                            limits: limits
                        )
                    }
                } catch {
                    return access.fail(error)
                }
                var options: ActivityOptions?
                if case .activityOptions(let changed) = decision.reply { options = changed }
                access.carryOut(decision, on: run, answering: options)
            }
        }
    }
}
