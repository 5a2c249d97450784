internal import SagamoreAPI
internal import SagamoreEngine
internal import SagamorePersistence
internal import SagamoreProtobuf
internal import SagamoreServices

extension Shard {
    func startActivityTask(
        _ task: MatchingTask,
        for poller: PollerIdentity,
        _ caller: consuming Caller<AssignedActivityTask>
    ) {
        guard case .activity(let scheduledEventID, let attempt) = task.kind else {
            return caller.refuse(.activityTaskNotFound)
        }
        access(task.key, caller) { (access: consuming RunAccess<AssignedActivityTask>) in
            guard let run = access.run, run.runID == task.runID else { return access.refuseTask(.activityTaskNotFound) }
            if access.shard.endByLimit(run, beforeWorkflowTask: false, in: access.context) {
                return access.refuseTask(.activityTaskNotFound)
            }
            let decision: Decision
            do throws(RequestError) {
                let (nonce, now) = (access.shard.state.random.next(), access.shard.clock())
                decision = try run.decide { (execution) throws(RequestError) in
                    try execution.decide(
                        startActivity: scheduledEventID,
                        attempt: attempt,
                        identity: poller.identity,
                        requestID: poller.requestID,
                        buildID: poller.buildID,
                        nonce: nonce,
                        at: now
                    )
                }
            } catch {
                return access.refuseTask(error)
            }
            guard case .activityTask(let delivery) = decision.reply else { return }
            let assigned = AssignedActivityTask(key: run.key, runID: run.runID, delivery: delivery)
            access.carryOut(decision, on: run, answering: assigned)
        }
    }

    func completeActivity(
        _ token: ActivityTaskToken,
        result: RawMessage<Payloads>?,
        identity: String,
        _ caller: consuming Caller<Void>
    ) {
        let limits = configuration.limits
        decide(on: token.key, token.runID, caller) { (run, now) throws(RequestError) in
            try run.decide { (execution) throws(RequestError) in
                try execution.decide(completed: token, result: result, identity: identity, at: now, limits: limits)
            }
        }
    }

    func failActivity(
        _ token: ActivityTaskToken,
        failure: RawMessage<Failure>?,
        lastHeartbeat: RawMessage<Payloads>?,
        identity: String,
        _ caller: consuming Caller<Void>
    ) {
        let limits = configuration.limits
        decide(on: token.key, token.runID, caller) { (run, now) throws(RequestError) in
            try run.execution.decide(
                failed: token,
                failure: failure,
                identity: identity,
                heartbeat: lastHeartbeat,
                at: now,
                limits: limits
            )
        }
    }

    func cancelActivity(
        _ token: ActivityTaskToken,
        details: RawMessage<Payloads>?,
        identity: String,
        _ caller: consuming Caller<Void>
    ) {
        let limits = configuration.limits
        decide(on: token.key, token.runID, caller) { (run, now) throws(RequestError) in
            try run.execution.decide(canceled: token, details: details, identity: identity, at: now, limits: limits)
        }
    }

    func heartbeat(
        _ token: ActivityTaskToken,
        details: RawMessage<Payloads>?,
        _ caller: consuming Caller<HeartbeatAnswer>
    ) {
        access(token.key, caller) { (access: consuming RunAccess<HeartbeatAnswer>) in
            let (shard, context) = (access.shard, access.context)
            guard let run = access.run, run.runID == token.runID, !run.isDeleted else {
                return access.fail(context.lateAnswer(to: token.runID))
            }
            let decision: Decision
            do throws(RequestError) {
                let limits = shard.configuration.limits
                decision = try run.execution.decide(
                    heartbeat: token,
                    details: details,
                    at: shard.clock(),
                    limits: limits
                )
            } catch {
                return access.fail(error)
            }
            guard case .heartbeat(let answer) = decision.reply else { return }
            access.carryOut(decision, on: run, answering: answer)
            shard.flushHeartbeat(of: token.scheduledEventID, details, run, in: context)
        }
    }

    /// Under the lock: writes heartbeat details at intervals, so that after a crash the next attempt gets recent ones.
    func flushHeartbeat(
        of scheduledEventID: Int64,
        _ details: RawMessage<Payloads>?,
        _ run: CachedRun,
        in context: WorkflowContext
    ) {
        guard let details, let activity = run.execution.durable.activities[scheduledEventID] else { return }
        let now = clock()
        let activities = run.execution.durable.activities
        let isWritten = run.heartbeatRows.write(
            of: scheduledEventID,
            at: now,
            period: configuration.heartbeatFlush,
            isPending: { activities[$0] != nil }
        )
        guard isWritten else { return }
        let item = LaneItem(context: context, run: run)
        item.heartbeat = HeartbeatRow(
            runID: run.runID,
            scheduledEventID: scheduledEventID,
            attempt: activity.number,
            details: details.bytes,
            recordedAt: now
        )
        enqueue(item)
    }

    func returnActivity(_ token: ActivityTaskToken) {
        let reply = Reply<Void> { [self] outcome in
            guard case .failure(let error) = outcome, error.code == .unavailable else { return }
            postpone { [self] in returnActivity(token) }
        }
        decide(on: token.key, token.runID, Caller(reply)) { (run, now) throws(RequestError) in
            run.execution.decide(activityReturned: token, at: now)
        }
    }
}
