import SagamoreAPI
import SagamoreEngine
import SagamoreProtobuf
import SagamoreServices

/// A History that takes commands as a test says, and refuses everything else.
final class RecordingHistory: HistoryClient {
    private let onSubmit: @Sendable (IncomingCommand, Reply<CommandOutcome>) -> Void

    init(submit: @escaping @Sendable (IncomingCommand, Reply<CommandOutcome>) -> Void) { onSubmit = submit }

    func submit(_ command: IncomingCommand, reply: Reply<CommandOutcome>) { onSubmit(command, reply) }
    func deadLetter(_: RecordCoordinates, _: OutboxRecord, reply: Reply<CommandOutcome>) { unexpected(reply) }
    private func unexpected<Success>(_ reply: Reply<Success>, _ name: String = #function) {
        reply.fail(RequestError(.internalError, "nobody expected \(name)"))
    }

    func start(_: StartRequest, namespace _: Int32, reply: Reply<StartedRun>) { unexpected(reply) }
    func signal(_: WorkflowReference, _: SignalRequest, reply: Reply<RunID>) { unexpected(reply) }
    func cancel(_: WorkflowReference, _: CancelRequest, reply: Reply<Void>) { unexpected(reply) }
    func resetStickyQueue(_: WorkflowReference, reply: Reply<Void>) { unexpected(reply) }
    func terminate(_: WorkflowReference, _: TerminateRequest, reply: Reply<Void>) { unexpected(reply) }
    func query(
        _: WorkflowReference,
        _: WorkflowQuery,
        rejecting _: QueryRejectCondition,
        deadline _: Instant,
        reply: Reply<QueryOutcome>
    ) { unexpected(reply) }
    func update(
        _: WorkflowReference,
        _: UpdateRequest,
        waitingFor _: UpdateWorkflowExecutionLifecycleStage,
        deadline _: Instant,
        reply: Reply<UpdateStatus>
    ) { unexpected(reply) }
    func startAndUpdate(
        _: StartRequest,
        _: UpdateRequest,
        namespace _: Int32,
        waitingFor _: UpdateWorkflowExecutionLifecycleStage,
        deadline _: Instant,
        reply: Reply<StartedUpdate>
    ) { unexpected(reply) }
    func pollUpdate(
        _: WorkflowReference,
        id _: String,
        waitingFor _: UpdateWorkflowExecutionLifecycleStage,
        deadline _: Instant,
        reply: Reply<UpdateStatus>
    ) { unexpected(reply) }
    func describe(_: WorkflowReference, reply: Reply<DescribeWorkflowExecutionResponse>) { unexpected(reply) }
    func readHistory(_: WorkflowReference, _: HistoryRead, reply: Reply<HistoryPage>) { unexpected(reply) }
    func startWorkflowTask(_: MatchingTask, for _: PollerIdentity, reply: Reply<PolledWorkflowTask>) {
        unexpected(reply)
    }
    func startActivityTask(_: MatchingTask, for _: PollerIdentity, reply: Reply<AssignedActivityTask>) {
        unexpected(reply)
    }
    func abandonSticky(_: MatchingTask) {}
    func completeWorkflowTask(
        _: WorkflowTaskToken,
        _: RespondWorkflowTaskCompletedRequest,
        reply: Reply<CompletedWorkflowTask>
    ) { unexpected(reply) }
    func failWorkflowTask(
        _: WorkflowTaskToken,
        cause _: WorkflowTaskFailedCause,
        failure _: RawMessage<Failure>?,
        identity _: String,
        reply: Reply<Void>
    ) { unexpected(reply) }
    func completeActivity(
        _: ActivityTaskToken,
        result _: RawMessage<Payloads>?,
        identity _: String,
        reply: Reply<Void>
    ) { unexpected(reply) }
    func failActivity(
        _: ActivityTaskToken,
        failure _: RawMessage<Failure>?,
        lastHeartbeat _: RawMessage<Payloads>?,
        identity _: String,
        reply: Reply<Void>
    ) { unexpected(reply) }
    func cancelActivity(
        _: ActivityTaskToken,
        details _: RawMessage<Payloads>?,
        identity _: String,
        reply: Reply<Void>
    ) { unexpected(reply) }
    func heartbeat(_: ActivityTaskToken, details _: RawMessage<Payloads>?, reply: Reply<HeartbeatAnswer>) {
        unexpected(reply)
    }
    func answerActivity(
        _ activityID: String,
        of workflow: WorkflowReference,
        _ answer: ActivityAnswer,
        identity: String,
        reply: Reply<HeartbeatAnswer>
    ) { unexpected(reply) }
    func operate(
        _ operation: ActivityOperation,
        on activities: ActivitySelection,
        of workflow: WorkflowReference,
        identity: String,
        reply: Reply<ActivityOptions?>
    ) { unexpected(reply) }
    func returnActivity(_: ActivityTaskToken) {}
    func answerQuery(_: TaskToken.QueryToken, _: QueryAnswer, reply: Reply<Void>) { unexpected(reply) }
}

/// The namespace `default`, number 1.
struct OneNamespace: NamespaceDirectory {
    private let record = NamespaceRecord(
        number: 1,
        id: "00000000-0000-0000-0000-000000000001",
        name: "default",
        description: "",
        ownerEmail: "",
        retention: .seconds(86_400),
        data: [:]
    )

    func namespace(named name: String) throws(RequestError) -> NamespaceRecord {
        guard name == record.name else { throw RequestError(.notFound, "Namespace \(name) is not found.") }
        return record
    }
    func namespace(numbered number: Int32) -> NamespaceRecord? { number == 1 ? record : nil }
    func list() -> [NamespaceRecord] { [record] }
    func register(
        name: String,
        description _: String,
        ownerEmail _: String,
        retention _: Interval,
        data _: ProtobufMap<String>
    ) throws(RequestError) -> NamespaceRecord {
        throw RequestError(.unimplemented, name)
    }
}
