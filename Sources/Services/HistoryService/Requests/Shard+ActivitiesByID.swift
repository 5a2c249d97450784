internal import SagamoreAPI
internal import SagamoreEngine
internal import SagamoreProtobuf
internal import SagamoreServices

/// Answers to activities from outside, by workflow id and activity id.
extension Shard {
    func answerActivity(
        _ activityID: String,
        of workflow: WorkflowReference,
        _ answer: ActivityAnswer,
        identity: String,
        _ caller: consuming Caller<HeartbeatAnswer>
    ) {
        guard !isFull else { return caller.refuse(.tooManyTransitions) }
        resolve(workflow, caller) { (access: consuming RunAccess<HeartbeatAnswer>, resolved) in
            switch resolved {
            case .missing: access.fail(workflow.missing)
            case .closed: access.fail(.workflowClosed)
            case .cached(let run):
                let (shard, context) = (access.shard, access.context)
                let decision: Decision
                do throws(RequestError) {
                    let (now, limits) = (shard.clock(), shard.configuration.limits)
                    decision = try run.decide { (execution) throws(RequestError) in
                        try execution.decide(activityID, answer, identity: identity, at: now, limits: limits)
                    }
                } catch {
                    return access.fail(error)
                }
                if case .heartbeat(let heartbeat) = decision.reply {
                    access.carryOut(decision, on: run, answering: heartbeat)
                    if case .heartbeat(let details) = answer {
                        shard.flushHeartbeat(ofActivity: activityID, details, run, in: context)
                    }
                } else {
                    access.carryOut(decision, on: run, answering: HeartbeatAnswer())
                    shard.requeueLostQueries(of: run, in: context)
                }
            }
        }
    }

    private func flushHeartbeat(
        ofActivity activityID: String,
        _ details: RawMessage<Payloads>?,
        _ run: CachedRun,
        in context: WorkflowContext
    ) {
        guard let token = try? run.execution.activityToken(ofActivity: activityID) else { return }
        flushHeartbeat(of: token.scheduledEventID, details, run, in: context)
    }
}

extension SagamoreEngine.Execution {
    /// Decides on an answer by id. All but a completion need a running attempt.
    fileprivate func decide(
        _ activityID: String,
        _ answer: ActivityAnswer,
        identity: String,
        at now: Instant,
        limits: Limits
    ) throws(RequestError) -> Decision {
        switch answer {
        case .completed(let result):
            return try decide(completedByID: activityID, result: result, identity: identity, at: now, limits: limits)
        case .failed(let failure, let heartbeat):
            return try decide(
                failed: try activityToken(ofActivity: activityID),
                failure: failure,
                identity: identity,
                heartbeat: heartbeat,
                at: now,
                limits: limits
            )
        case .canceled(let details):
            let token = try activityToken(ofActivity: activityID)
            return try decide(canceled: token, details: details, identity: identity, at: now, limits: limits)
        case .heartbeat(let details):
            let token = try activityToken(ofActivity: activityID)
            return try decide(heartbeat: token, details: details, at: now, limits: limits)
        }
    }
}

extension RequestError {
    /// The shard's lane is full; the caller may try again.
    static let tooManyTransitions = RequestError(
        .resourceExhausted,
        "too many transitions wait to be committed; try again"
    )
}
