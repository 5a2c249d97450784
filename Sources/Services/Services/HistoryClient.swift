public import SagamoreAPI
public import SagamoreEngine
public import SagamoreProtobuf

/// The service that owns executions, as the other services see it. Every reply comes when what it tells is committed.
public protocol HistoryClient: Sendable {
    func start(_ request: StartRequest, namespace: Int32, reply: Reply<StartedRun>)
    /// The reply names the run that was signalled.
    func signal(_ workflow: WorkflowReference, _ request: SignalRequest, reply: Reply<RunID>)
    func cancel(_ workflow: WorkflowReference, _ request: CancelRequest, reply: Reply<Void>)
    func terminate(_ workflow: WorkflowReference, _ request: TerminateRequest, reply: Reply<Void>)
    func query(
        _ workflow: WorkflowReference,
        _ query: WorkflowQuery,
        rejecting: QueryRejectCondition,
        deadline: Instant,
        reply: Reply<QueryOutcome>
    )
    func describe(_ workflow: WorkflowReference, reply: Reply<DescribeWorkflowExecutionResponse>)
    func readHistory(_ workflow: WorkflowReference, _ request: HistoryRead, reply: Reply<HistoryPage>)

    func startWorkflowTask(_ task: MatchingTask, for poller: PollerIdentity, reply: Reply<PolledWorkflowTask>)
    func startActivityTask(_ task: MatchingTask, for poller: PollerIdentity, reply: Reply<AssignedActivityTask>)
    /// The sticky queue of a task has no worker any more: the task is offered on the normal queue.
    func abandonSticky(_ task: MatchingTask)

    func completeWorkflowTask(
        _ token: WorkflowTaskToken,
        _ request: RespondWorkflowTaskCompletedRequest,
        reply: Reply<CompletedWorkflowTask>
    )
    func failWorkflowTask(
        _ token: WorkflowTaskToken,
        cause: WorkflowTaskFailedCause,
        failure: RawMessage<Failure>?,
        identity: String,
        reply: Reply<Void>
    )
    func completeActivity(
        _ token: ActivityTaskToken,
        result: RawMessage<Payloads>?,
        identity: String,
        reply: Reply<Void>
    )
    func failActivity(
        _ token: ActivityTaskToken,
        failure: RawMessage<Failure>?,
        lastHeartbeat: RawMessage<Payloads>?,
        identity: String,
        reply: Reply<Void>
    )
    func cancelActivity(
        _ token: ActivityTaskToken,
        details: RawMessage<Payloads>?,
        identity: String,
        reply: Reply<Void>
    )
    /// The reply says whether cancellation was requested.
    func heartbeat(_ token: ActivityTaskToken, details: RawMessage<Payloads>?, reply: Reply<Bool>)
    /// An activity's task is known not to have reached its poller.
    func returnActivity(_ token: ActivityTaskToken)
    func answerQuery(_ token: TaskToken.QueryToken, _ answer: QueryAnswer, reply: Reply<Void>)

    /// A command of a topic. A failure means: not carried out, to be given again later.
    func submit(_ command: IncomingCommand, reply: Reply<CommandOutcome>)
    /// A record that no one can understand: its dead letter becomes durable, once for these coordinates.
    func deadLetter(_ source: RecordCoordinates, _ letter: OutboxRecord, reply: Reply<CommandOutcome>)
}

/// What a start ends with.
public struct StartedRun: Sendable {
    public let runID: RunID
    /// False where a run was there already and the request asked to use it, or was this very request before.
    public let isNew: Bool
    public let status: WorkflowExecutionStatus

    public init(runID: RunID, isNew: Bool, status: WorkflowExecutionStatus) {
        self.runID = runID
        self.isNew = isNew
        self.status = status
    }
}

public enum QueryOutcome: Sendable {
    case answered(RawMessage<Payloads>?)
    case rejected(WorkflowExecutionStatus)
}

/// A worker's answer to a query.
public enum QueryAnswer: Sendable {
    case answered(RawMessage<Payloads>?)
    case failed(message: String, RawMessage<Failure>?)
}

/// What to read of a history.
public struct HistoryRead: Sendable {
    /// From the request: bytes of an earlier page, or empty.
    public let pageToken: [UInt8]
    /// At most so many events; the service has its own bound too.
    public let pageSize: Int
    /// Wait for news (or for the close event) instead of answering with what is there.
    public let waitsForNews: Bool
    public let onlyCloseEvent: Bool
    /// When to stop waiting.
    public let deadline: Instant

    public init(pageToken: [UInt8], pageSize: Int, waitsForNews: Bool, onlyCloseEvent: Bool, deadline: Instant) {
        self.pageToken = pageToken
        self.pageSize = pageSize
        self.waitsForNews = waitsForNews
        self.onlyCloseEvent = onlyCloseEvent
        self.deadline = deadline
    }
}

public struct HistoryPage: Sendable {
    /// Encoded frames of `History.events`.
    public let frames: [UInt8]
    /// Empty at the end.
    public let nextPageToken: [UInt8]

    public init(frames: [UInt8], nextPageToken: [UInt8]) {
        self.frames = frames
        self.nextPageToken = nextPageToken
    }
}
