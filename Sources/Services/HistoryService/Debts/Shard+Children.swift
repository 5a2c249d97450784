internal import SagamoreEngine
internal import SagamoreServices

/// The receiving side of what parents and children owe each other.
extension Shard {
    /// A child of the parent's run has ended. A parent that has closed, or does not wait for the child, needs not know.
    func reportChildEnd(_ parent: WorkflowReference, _ end: ChildEnd, _ caller: consuming Caller<Void>) {
        guard !isFull else {
            return caller.refuse(
                RequestError(.resourceExhausted, "too many transitions wait to be committed; try again")
            )
        }
        resolve(parent, caller) { (access: consuming RunAccess<Void>, resolved) in
            guard case .cached(let run) = resolved else { return access.succeed(()) }
            let (shard, context) = (access.shard, access.context)
            let decision = run.execution.decide(end, at: shard.clock())
            access.carryOut(decision, on: run, answering: ())
            shard.requeueLostQueries(of: run, in: context)
        }
    }

    /// Under the lock: the run that a parent's start began before; nil if there is none.
    func child(startedBy start: StartRequest, in context: WorkflowContext) -> StartedRun? {
        guard let parent = start.lineage.parent else { return nil }
        let runs = [context.cached].compactMap { $0 } + context.state.debtors
        for run in runs {
            guard let own = run.execution.durable.parent, own.runID == parent.runID,
                own.initiatedEventID == parent.initiatedEventID
            else { continue }
            // The chain may have gone on since.
            let first = RunID(run.execution.durable.firstRunID) ?? run.runID
            return StartedRun(runID: first, isNew: true, status: run.execution.durable.status)
        }
        return nil
    }

    /// Under the lock: whether all closed runs of a workflow that may have been started by a parent are in memory.
    func knowsChildren(of context: WorkflowContext) -> Bool {
        state.isRecovered && context.state.debtorsBeingRead.isEmpty
    }
}
