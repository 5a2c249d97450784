import Foundation
import SagamoreAPI
import SagamoreEngine
import SagamoreProtobuf
import SagamoreServices

/// The part of History that Matching calls. It refuses every activity task as the test says, and records its calls.
/// Matching calls none of its other methods.
final class ScriptedHistory: HistoryClient, BacklogStore, @unchecked Sendable {
    private let lock = NSLock()
    private var state = State()

    private struct State {
        var started: [Int64] = []
        var depth = 0
        var deepest = 0
        var pagedOut: [Int64] = []
        var pagedIn: [TaskQueueKey] = []
        var waiting: [Reply<AssignedActivityTask>] = []
        var isSlow = false
        var verdict: @Sendable (Int64) -> RequestError = { _ in .activityTaskNotFound }
    }

    var started: [Int64] { lock.withLock { state.started } }
    /// The greatest depth of nested starts.
    var deepestStart: Int { lock.withLock { state.deepest } }
    var pagedOut: [Int64] { lock.withLock { state.pagedOut } }
    var pagedIn: [TaskQueueKey] { lock.withLock { state.pagedIn } }

    var verdict: @Sendable (Int64) -> RequestError {
        get { lock.withLock { state.verdict } }
        set { lock.withLock { state.verdict = newValue } }
    }

    /// Whether answers are delayed until `answer` is called.
    var isSlow: Bool {
        get { lock.withLock { state.isSlow } }
        set { lock.withLock { state.isSlow = newValue } }
    }

    func answer(_ error: RequestError) {
        let waiting = lock.withLock {
            let waiting = state.waiting
            state.waiting = []
            return waiting
        }
        for reply in waiting { reply.fail(error) }
    }

    func startActivityTask(_ task: MatchingTask, for poller: PollerIdentity, reply: Reply<AssignedActivityTask>) {
        guard case .activity(let id, _) = task.kind else { return }
        let verdict = lock.withLock { () -> RequestError? in
            state.started.append(id)
            state.depth += 1
            state.deepest = max(state.deepest, state.depth)
            if state.isSlow { state.waiting.append(reply) }
            return state.isSlow ? nil : state.verdict(id)
        }
        if let verdict { reply.fail(verdict) }
        lock.withLock { state.depth -= 1 }
    }

    func pageOut(_ task: MatchingTask) {
        guard case .activity(let id, _) = task.kind else { return }
        lock.withLock { state.pagedOut.append(id) }
    }

    func pageIn(_ queue: TaskQueueKey, limit: Int) { lock.withLock { state.pagedIn.append(queue) } }

    // MARK: Never called; a dropped reply reports itself

    func start(_ request: StartRequest, namespace: Int32, reply: Reply<StartedRun>) {}
    func signal(_ workflow: WorkflowReference, _ request: SignalRequest, reply: Reply<RunID>) {}
    func cancel(_ workflow: WorkflowReference, _ request: CancelRequest, reply: Reply<Void>) {}
    func resetStickyQueue(_ workflow: WorkflowReference, reply: Reply<Void>) {}
    func terminate(_ workflow: WorkflowReference, _ request: TerminateRequest, reply: Reply<Void>) {}
    func query(
        _ workflow: WorkflowReference,
        _ query: WorkflowQuery,
        rejecting: QueryRejectCondition,
        deadline: Instant,
        reply: Reply<QueryOutcome>
    ) {}
    func update(
        _ workflow: WorkflowReference,
        _ request: UpdateRequest,
        waitingFor stage: UpdateWorkflowExecutionLifecycleStage,
        deadline: Instant,
        reply: Reply<UpdateStatus>
    ) {}
    func startAndUpdate(
        _: StartRequest,
        _: UpdateRequest,
        namespace _: Int32,
        waitingFor _: UpdateWorkflowExecutionLifecycleStage,
        deadline _: Instant,
        reply: Reply<StartedUpdate>
    ) {}
    func pollUpdate(
        _ workflow: WorkflowReference,
        id: String,
        waitingFor stage: UpdateWorkflowExecutionLifecycleStage,
        deadline: Instant,
        reply: Reply<UpdateStatus>
    ) {}
    func describe(_ workflow: WorkflowReference, reply: Reply<DescribeWorkflowExecutionResponse>) {}
    func readHistory(_ workflow: WorkflowReference, _ request: HistoryRead, reply: Reply<HistoryPage>) {}
    func startWorkflowTask(_ task: MatchingTask, for poller: PollerIdentity, reply: Reply<PolledWorkflowTask>) {}
    func abandonSticky(_ task: MatchingTask) {}
    func completeWorkflowTask(
        _ token: WorkflowTaskToken,
        _ request: RespondWorkflowTaskCompletedRequest,
        reply: Reply<CompletedWorkflowTask>
    ) {}
    func failWorkflowTask(
        _ token: WorkflowTaskToken,
        cause: WorkflowTaskFailedCause,
        failure: RawMessage<Failure>?,
        identity: String,
        reply: Reply<Void>
    ) {}
    func completeActivity(
        _ token: ActivityTaskToken,
        result: RawMessage<Payloads>?,
        identity: String,
        reply: Reply<Void>
    ) {}
    func failActivity(
        _ token: ActivityTaskToken,
        failure: RawMessage<Failure>?,
        lastHeartbeat: RawMessage<Payloads>?,
        identity: String,
        reply: Reply<Void>
    ) {}
    func cancelActivity(
        _ token: ActivityTaskToken,
        details: RawMessage<Payloads>?,
        identity: String,
        reply: Reply<Void>
    ) {}
    func heartbeat(_ token: ActivityTaskToken, details: RawMessage<Payloads>?, reply: Reply<HeartbeatAnswer>) {}
    func answerActivity(
        _ activityID: String,
        of workflow: WorkflowReference,
        _ answer: ActivityAnswer,
        identity: String,
        reply: Reply<HeartbeatAnswer>
    ) {}
    func operate(
        _ operation: ActivityOperation,
        on activities: ActivitySelection,
        of workflow: WorkflowReference,
        identity: String,
        reply: Reply<ActivityOptions?>
    ) {}
    func returnActivity(_ token: ActivityTaskToken) {}
    func answerQuery(_ token: TaskToken.QueryToken, _ answer: QueryAnswer, reply: Reply<Void>) {}
    func submit(_ command: IncomingCommand, reply: Reply<CommandOutcome>) {}
    func deadLetter(_ source: RecordCoordinates, _ letter: OutboxRecord, reply: Reply<CommandOutcome>) {}
}
