internal import SagamoreAPI
internal import SagamoreEngine
internal import SagamoreProtobuf
internal import SagamoreServices

/// The history service of one life of a server, as the world reaches it: requests wait while the process is paused, and
/// nobody hears from it after it was killed.
class ReachedHistory: HistoryClient, @unchecked Sendable {
    // Unchecked: the whole world runs in one thread.
    let life: ServerLife

    init(_ life: ServerLife) { self.life = life }

    func start(_ request: StartRequest, namespace: Int32, reply: Reply<StartedRun>) {
        life.receive(reply) { history, reply in
            history.start(request, namespace: namespace, reply: reply)
        }
    }

    func signal(_ workflow: WorkflowReference, _ request: SignalRequest, reply: Reply<RunID>) {
        life.receive(reply) { history, reply in
            history.signal(workflow, request, reply: reply)
        }
    }

    func cancel(_ workflow: WorkflowReference, _ request: CancelRequest, reply: Reply<Void>) {
        life.receive(reply) { history, reply in
            history.cancel(workflow, request, reply: reply)
        }
    }

    func resetStickyQueue(_ workflow: WorkflowReference, reply: Reply<Void>) {
        life.receive(reply) { history, reply in
            history.resetStickyQueue(workflow, reply: reply)
        }
    }

    func terminate(_ workflow: WorkflowReference, _ request: TerminateRequest, reply: Reply<Void>) {
        life.receive(reply) { history, reply in
            history.terminate(workflow, request, reply: reply)
        }
    }

    func reportChildEnd(_ parent: WorkflowReference, _ end: ChildEnd, reply: Reply<Void>) {
        life.receive(reply) { history, reply in
            history.reportChildEnd(parent, end, reply: reply)
        }
    }

    func query(
        _ workflow: WorkflowReference,
        _ query: WorkflowQuery,
        rejecting condition: QueryRejectCondition,
        deadline: Instant,
        reply: Reply<QueryOutcome>
    ) {
        life.receive(reply) { history, reply in
            history.query(workflow, query, rejecting: condition, deadline: deadline, reply: reply)
        }
    }

    func update(
        _ workflow: WorkflowReference,
        _ request: UpdateRequest,
        waitingFor stage: UpdateWorkflowExecutionLifecycleStage,
        deadline: Instant,
        reply: Reply<UpdateStatus>
    ) {
        life.receive(reply) { history, reply in
            history.update(workflow, request, waitingFor: stage, deadline: deadline, reply: reply)
        }
    }

    func startAndUpdate(
        _ start: StartRequest,
        _ update: UpdateRequest,
        namespace: Int32,
        waitingFor stage: UpdateWorkflowExecutionLifecycleStage,
        deadline: Instant,
        reply: Reply<StartedUpdate>
    ) {
        life.receive(reply) { history, reply in
            history.startAndUpdate(
                start,
                update,
                namespace: namespace,
                waitingFor: stage,
                deadline: deadline,
                reply: reply
            )
        }
    }

    func pollUpdate(
        _ workflow: WorkflowReference,
        id: String,
        waitingFor stage: UpdateWorkflowExecutionLifecycleStage,
        deadline: Instant,
        reply: Reply<UpdateStatus>
    ) {
        life.receive(reply) { history, reply in
            history.pollUpdate(workflow, id: id, waitingFor: stage, deadline: deadline, reply: reply)
        }
    }

    func describe(_ workflow: WorkflowReference, reply: Reply<DescribeWorkflowExecutionResponse>) {
        life.receive(reply) { history, reply in
            history.describe(workflow, reply: reply)
        }
    }

    func readHistory(_ workflow: WorkflowReference, _ request: HistoryRead, reply: Reply<HistoryPage>) {
        life.receive(reply) { history, reply in
            history.readHistory(workflow, request, reply: reply)
        }
    }

    func startWorkflowTask(_ task: MatchingTask, for poller: PollerIdentity, reply: Reply<PolledWorkflowTask>) {
        life.receive(reply) { history, reply in
            history.startWorkflowTask(task, for: poller, reply: reply)
        }
    }

    func startActivityTask(_ task: MatchingTask, for poller: PollerIdentity, reply: Reply<AssignedActivityTask>) {
        life.receive(reply) { history, reply in
            history.startActivityTask(task, for: poller, reply: reply)
        }
    }

    func completeWorkflowTask(
        _ token: WorkflowTaskToken,
        _ request: RespondWorkflowTaskCompletedRequest,
        reply: Reply<CompletedWorkflowTask>
    ) {
        life.receive(reply) { history, reply in
            history.completeWorkflowTask(token, request, reply: reply)
        }
    }

    func failWorkflowTask(
        _ token: WorkflowTaskToken,
        cause: WorkflowTaskFailedCause,
        failure: RawMessage<Failure>?,
        identity: String,
        reply: Reply<Void>
    ) {
        life.receive(reply) { history, reply in
            history.failWorkflowTask(token, cause: cause, failure: failure, identity: identity, reply: reply)
        }
    }

    func completeActivity(
        _ token: ActivityTaskToken,
        result: RawMessage<Payloads>?,
        identity: String,
        reply: Reply<Void>
    ) {
        life.receive(reply) { history, reply in
            history.completeActivity(token, result: result, identity: identity, reply: reply)
        }
    }

    func failActivity(
        _ token: ActivityTaskToken,
        failure: RawMessage<Failure>?,
        lastHeartbeat: RawMessage<Payloads>?,
        identity: String,
        reply: Reply<Void>
    ) {
        life.receive(reply) { history, reply in
            history.failActivity(
                token,
                failure: failure,
                lastHeartbeat: lastHeartbeat,
                identity: identity,
                reply: reply
            )
        }
    }

    func cancelActivity(
        _ token: ActivityTaskToken,
        details: RawMessage<Payloads>?,
        identity: String,
        reply: Reply<Void>
    ) {
        life.receive(reply) { history, reply in
            history.cancelActivity(token, details: details, identity: identity, reply: reply)
        }
    }

    func heartbeat(_ token: ActivityTaskToken, details: RawMessage<Payloads>?, reply: Reply<HeartbeatAnswer>) {
        life.receive(reply) { history, reply in
            history.heartbeat(token, details: details, reply: reply)
        }
    }

    func answerActivity(
        _ activityID: String,
        of workflow: WorkflowReference,
        _ answer: ActivityAnswer,
        identity: String,
        reply: Reply<HeartbeatAnswer>
    ) {
        life.receive(reply) { history, reply in
            history.answerActivity(activityID, of: workflow, answer, identity: identity, reply: reply)
        }
    }

    func operate(
        _ operation: ActivityOperation,
        on activities: ActivitySelection,
        of workflow: WorkflowReference,
        identity: String,
        reply: Reply<ActivityOptions?>
    ) {
        life.receive(reply) { history, reply in
            history.operate(operation, on: activities, of: workflow, identity: identity, reply: reply)
        }
    }

    func answerQuery(_ token: TaskToken.QueryToken, _ answer: QueryAnswer, reply: Reply<Void>) {
        life.receive(reply) { history, reply in
            history.answerQuery(token, answer, reply: reply)
        }
    }

    func submit(_ command: IncomingCommand, reply: Reply<CommandOutcome>) {
        life.receive(reply) { history, reply in
            history.submit(command, reply: reply)
        }
    }

    func deadLetter(_ source: RecordCoordinates, _ letter: OutboxRecord, reply: Reply<CommandOutcome>) {
        life.receive(reply) { history, reply in
            history.deadLetter(source, letter, reply: reply)
        }
    }

    func abandonSticky(_ task: MatchingTask) {
        life.receive { history in history.abandonSticky(task) }
    }

    func returnActivity(_ token: ActivityTaskToken) {
        life.receive { history in history.returnActivity(token) }
    }
}
