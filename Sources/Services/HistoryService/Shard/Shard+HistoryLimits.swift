internal import SagamoreEngine
internal import SagamoreLogging
internal import SagamoreServices

/// The length of a run's history at one time.
struct HistoryLength {
    let events: Int64
    let bytes: Int64

    init(_ state: borrowing DurableState) {
        events = state.lastEventID
        bytes = state.historyBytes
    }
}

/// The limits of histories: what exceeds them ends the run, and what is long is logged.
extension Shard {
    /// Under the lock: a decision, or what ends its run in place of it. The item's caller is then refused.
    func limited(_ decision: Decision, of run: CachedRun, _ item: LaneItem) -> Decision {
        let limited = run.execution.limited(decision, at: clock(), configuration.limits)
        guard case .refused(let refusal) = limited.reply, limited.endsRun else { return limited }
        // A completion's refusal is answered by its handler.
        if case .refused = decision.reply {} else { item.refusal = refusal }
        warn("a limit ended a run", ["reason": refusal.message], run)
        return limited
    }

    /// Under the lock: ends a run whose history is too long, before a task of it starts. Returns whether it did.
    func endByLimit(_ run: CachedRun, beforeWorkflowTask: Bool, in context: WorkflowContext) -> Bool {
        guard
            let decision = run.execution.endedByLimit(
                beforeWorkflowTask: beforeWorkflowTask,
                at: clock(),
                configuration.limits
            )
        else { return false }
        carryOut(decision, on: run, in: context)
        requeueLostQueries(of: run, in: context)
        return true
    }

    /// Under the lock: the refusal of what would make a run's history too long. The run is ended then.
    func refusal(of decision: Decision, on run: CachedRun, in context: WorkflowContext) -> RequestError? {
        let limited = run.execution.limited(decision, at: clock(), configuration.limits)
        guard case .refused(let refusal) = limited.reply else { return nil }
        carryOut(limited, on: run, in: context)
        requeueLostQueries(of: run, in: context)
        return refusal
    }

    /// Under the lock: logs a history that has just become long, once at each level.
    func noteLength(of run: CachedRun, since before: HistoryLength) {
        let (now, limits) = (HistoryLength(run.execution.durable), configuration.limits)
        if before.events <= limits.warnedEvents, now.events > limits.warnedEvents {
            warn("a history has many events", ["events": String(now.events)], run)
        }
        if before.bytes <= limits.warnedBytes, now.bytes > limits.warnedBytes {
            warn("a history is large", ["bytes": String(now.bytes)], run)
        }
    }

    private func warn(_ message: String, _ values: [String: String], _ run: CachedRun) {
        var metadata = values
        metadata["workflow_id"] = run.key.workflowID
        metadata["run_id"] = run.runID.description
        let (log, fields) = (log, metadata)
        state.deferred.call { log.warning("\(message)", metadata: fields) }
    }
}
