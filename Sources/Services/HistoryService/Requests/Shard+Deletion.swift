internal import SagamoreEngine
internal import SagamorePersistence
internal import SagamoreServices

/// Deletions of runs. A deleted run is gone from reads when its deletion is answered. The loader erases its journal
/// afterwards, in steps.
extension Shard {
    func delete(_ workflow: WorkflowReference, _ caller: consuming Caller<Void>) {
        guard !isFull else {
            return caller.refuse(
                RequestError(.resourceExhausted, "too many transitions wait to be committed; try again")
            )
        }
        resolve(workflow, caller) { (access: consuming RunAccess<Void>, resolved) in
            switch resolved {
            case .missing: access.fail(workflow.missing)
            case .cached(let run): access.shard.delete(run, access)
            case .closed(let row): access.shard.delete(row, access)
            }
        }
    }

    /// Under the lock. A run that is open is terminated by the same item. What it owes then is delivered before its
    /// journal is erased.
    private func delete(_ run: CachedRun, _ access: consuming RunAccess<Void>) {
        let context = access.context
        var decision = Decision()
        if run.execution.isRunning {
            let terminate = TerminateRequest(reason: "Delete workflow execution", identity: serverIdentity)
            do throws(RequestError) {
                decision = try run.execution.decide(terminate, at: clock())
            } catch {
                return access.fail(error)
            }
        }
        let item = apply(decision, on: run, in: context)
        item.deletion = RunDeletion(runID: run.runID, key: run.key)
        run.isDeleted = true
        access.commit(item) { [self] reply in
            loads.add(.erase)
            reply.succeed(())
        }
        carryOut(state.queries.runEvicted(run.runID, .runNotFound(run.key.workflowID, run.runID)), seen: run)
    }

    /// Under the lock: deletes a closed run that is out of memory.
    private func delete(_ row: RunRow, _ access: consuming RunAccess<Void>) {
        let context = access.context
        context.state.beginDeletion(row.runID)
        let item = LaneItem(context: context, run: nil)
        item.deletion = RunDeletion(runID: row.runID, key: row.key)
        @Sendable func end(isCommitted: Bool) {
            perform {
                context.state.endDeletion(row.runID, isCommitted: isCommitted)
                state.runs.dropIfUnused(context)
            }
        }
        access.commit(
            item,
            onFailure: { failure, reply in
                end(isCommitted: false)
                reply.fail(failure.error)
            },
            { [self] reply in
                end(isCommitted: true)
                loads.add(.erase)
                reply.succeed(())
            }
        )
        let actions = state.queries.runEvicted(row.runID, .runNotFound(row.key.workflowID, row.runID))
        releaseInOrder(
            { [self] in perform { state.carryOut(actions) } },
            refuse: { [self] _ in perform { state.carryOut(actions) } }
        )
    }
}
