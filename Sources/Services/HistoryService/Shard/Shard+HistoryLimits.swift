internal import SagamoreEngine
internal import SagamoreLogging
internal import SagamoreServices

/// What a transition may change that is more than its rows.
struct RunExtent {
    let life: RunLife
    let length: HistoryLength

    init(_ state: borrowing DurableState) {
        life = state.life
        length = HistoryLength(state)
    }
}

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
    /// Under the lock: what ends a run in place of a decision that exceeds a limit; nil for one that may be carried
    /// out. The item's caller is then refused.
    func limit(of decision: Decision, on run: CachedRun, _ item: LaneItem) -> Decision? {
        let limits = configuration.limits
        guard let limit = run.ask({ $0.limit(of: decision, at: clock(), limits) }) else {
            // The decision may have seen a limit itself.
            if case .refused(let refusal) = decision.reply, decision.endsRun { warnOfLimit(refusal, run) }
            return nil
        }
        if case .refused(let refusal) = limit.reply {
            // A completion's refusal is answered by its handler.
            if case .refused = decision.reply {} else { item.refusal = refusal }
            warnOfLimit(refusal, run)
        }
        return limit
    }

    private func warnOfLimit(_ refusal: RequestError, _ run: CachedRun) {
        warn("a limit ended a run", ["reason": "\(refusal.message)"], run)
    }

    /// Under the lock: ends a run whose history is too long, before a task of it starts. Returns whether it did.
    func endByLimit(_ run: CachedRun, beforeWorkflowTask: Bool, in context: WorkflowContext) -> Bool {
        let limits = configuration.limits
        let decision = run.ask { $0.endedByLimit(beforeWorkflowTask: beforeWorkflowTask, at: clock(), limits) }
        guard let decision else { return false }
        carryOut(decision, on: run, in: context)
        requeueLostQueries(of: run, in: context)
        return true
    }

    /// Under the lock: the refusal of what would make a run's history too long. The run is ended then.
    func refusal(of decision: Decision, on run: CachedRun, in context: WorkflowContext) -> RequestError? {
        let limits = configuration.limits
        let outcome = run.ask { $0.limit(of: decision, at: clock(), limits) } ?? decision
        guard case .refused(let refusal) = outcome.reply else { return nil }
        carryOut(outcome, on: run, in: context)
        requeueLostQueries(of: run, in: context)
        return refusal
    }

    /// Under the lock: logs a history that has just become long, once at each level.
    func noteLength(of run: CachedRun, since before: HistoryLength, _ now: HistoryLength) {
        let limits = configuration.limits
        if before.events <= limits.warnedEvents, now.events > limits.warnedEvents {
            warn("a history has many events", ["events": "\(now.events)"], run)
        }
        if before.bytes <= limits.warnedBytes, now.bytes > limits.warnedBytes {
            warn("a history is large", ["bytes": "\(now.bytes)"], run)
        }
    }

    private func warn(_ message: String, _ values: Logger.Metadata, _ run: CachedRun) {
        let (log, fields) = (log, about(run).merging(values) { $1 })
        state.deferred.call { log.warning(message, metadata: fields) }
    }
}
