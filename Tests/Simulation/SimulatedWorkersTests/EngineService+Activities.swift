import SagamoreAPI
import SagamoreEngine
import SagamoreProtobuf
import SagamoreServices

/// Attempts of activities.
extension EngineService {
    func startActivityTask(_ task: MatchingTask, for poller: PollerIdentity, reply: Reply<AssignedActivityTask>) {
        guard case .activity(let id, let attempt) = task.kind else { return reply.fail(.activityTaskNotFound) }
        if bug == .attemptGivenTwice, let last = lastActivity, random.below(8) == 0 { return reply.succeed(last) }
        let nonce = random.next()
        decide(WorkflowReference(key: task.key, runID: task.runID), reply) { (run) throws(RequestError) in
            try run.execution.decide(
                startActivity: id,
                attempt: attempt,
                identity: poller.identity,
                requestID: poller.requestID,
                nonce: nonce,
                at: now
            )
        } _: { [self] run, decision in
            guard case .activityTask(let delivery) = decision.reply else { fatalError("no activity was started") }
            let task = AssignedActivityTask(key: run.key, runID: run.id, delivery: delivery)
            lastActivity = task
            return task
        }
    }

    func completeActivity(
        _ token: ActivityTaskToken,
        result: RawMessage<Payloads>?,
        identity: String,
        reply: Reply<Void>
    ) {
        if bug == .lostCompletion, random.below(8) == 0 { return reply.succeed() }
        decide(WorkflowReference(key: token.key, runID: token.runID), reply) { (run) throws(RequestError) in
            try run.execution.decide(completed: token, result: result, identity: identity, at: now)
        } _: { _, _ in
        }
    }

    func failActivity(
        _ token: ActivityTaskToken,
        failure: RawMessage<Failure>?,
        lastHeartbeat: RawMessage<Payloads>?,
        identity: String,
        reply: Reply<Void>
    ) {
        decide(WorkflowReference(key: token.key, runID: token.runID), reply) { (run) throws(RequestError) in
            try run.execution.decide(
                failed: token,
                failure: failure,
                identity: identity,
                heartbeat: lastHeartbeat,
                at: now
            )
        } _: { _, _ in
        }
    }

    func cancelActivity(
        _ token: ActivityTaskToken,
        details: RawMessage<Payloads>?,
        identity: String,
        reply: Reply<Void>
    ) {
        decide(WorkflowReference(key: token.key, runID: token.runID), reply) { (run) throws(RequestError) in
            try run.execution.decide(canceled: token, details: details, identity: identity, at: now)
        } _: { _, _ in
        }
    }

    func heartbeat(_ token: ActivityTaskToken, details: RawMessage<Payloads>?, reply: Reply<HeartbeatAnswer>) {
        if bug == .forgottenHeartbeat { return reply.succeed(HeartbeatAnswer()) }
        decide(WorkflowReference(key: token.key, runID: token.runID), reply) { (run) throws(RequestError) in
            try run.execution.decide(heartbeat: token, details: details, at: now)
        } _: { _, decision in
            if case .heartbeat(let answer) = decision.reply { answer } else { HeartbeatAnswer() }
        }
    }

    func answerActivity(
        _ activityID: String,
        of workflow: WorkflowReference,
        _ answer: ActivityAnswer,
        identity: String,
        reply: Reply<HeartbeatAnswer>
    ) { preconditionFailure("no simulated worker answers by id") }

    func operate(
        _ operation: ActivityOperation,
        on activities: ActivitySelection,
        of workflow: WorkflowReference,
        identity: String,
        reply: Reply<ActivityOptions?>
    ) { preconditionFailure("no simulated operator") }

    func returnActivity(_ token: ActivityTaskToken) {
        guard let run = runs[token.runID] else { return }
        apply(run.execution.decide(activityReturned: token, at: now), to: run)
    }
}
