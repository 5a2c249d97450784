public import SagamoreAPI
public import SagamoreEngine
public import SagamoreProtobuf

/// The service that owns executions, as the other services see it. Every reply comes when what it tells is committed.
public protocol HistoryClient: Sendable {
    /// Starts a workflow, or answers with the run that is there when the request's policies say so.
    func start(_ request: StartRequest, namespace: Int32, reply: Reply<StartedRun>)
    /// The reply names the run that was signalled.
    func signal(_ workflow: WorkflowReference, _ request: SignalRequest, reply: Reply<RunID>)
    /// Asks a run to cancel; its code decides what becomes of that.
    func cancel(_ workflow: WorkflowReference, _ request: CancelRequest, reply: Reply<Void>)
    /// Ends a run at once, without running its code.
    func terminate(_ workflow: WorkflowReference, _ request: TerminateRequest, reply: Reply<Void>)
    /// Asks a worker about a run's state. In a status that `rejecting` names nobody is asked. Fails at `deadline`.
    func query(
        _ workflow: WorkflowReference,
        _ query: WorkflowQuery,
        rejecting: QueryRejectCondition,
        deadline: Instant,
        reply: Reply<QueryOutcome>
    )
    /// Describes a run: its status, pending activities, and pending workflow task.
    func describe(_ workflow: WorkflowReference, reply: Reply<DescribeWorkflowExecutionResponse>)
    /// Reads a page of a run's history.
    func readHistory(_ workflow: WorkflowReference, _ request: HistoryRead, reply: Reply<HistoryPage>)

    /// Starts a workflow task, or a query, that Matching found a poller for. Fails when it is not due any more.
    func startWorkflowTask(_ task: MatchingTask, for poller: PollerIdentity, reply: Reply<PolledWorkflowTask>)
    /// Starts an attempt of an activity that Matching found a poller for. Fails when it is not due any more.
    func startActivityTask(_ task: MatchingTask, for poller: PollerIdentity, reply: Reply<AssignedActivityTask>)
    /// The sticky queue of a task has no worker any more: the task is offered on the normal queue.
    func abandonSticky(_ task: MatchingTask)

    /// A worker answers a workflow task. Fails when the token's task does not run any more.
    func completeWorkflowTask(
        _ token: WorkflowTaskToken,
        _ request: RespondWorkflowTaskCompletedRequest,
        reply: Reply<CompletedWorkflowTask>
    )
    /// A worker could not carry out a workflow task; it is offered again.
    func failWorkflowTask(
        _ token: WorkflowTaskToken,
        cause: WorkflowTaskFailedCause,
        failure: RawMessage<Failure>?,
        identity: String,
        reply: Reply<Void>
    )
    /// A worker completed an attempt of an activity.
    func completeActivity(
        _ token: ActivityTaskToken,
        result: RawMessage<Payloads>?,
        identity: String,
        reply: Reply<Void>
    )
    /// An attempt of an activity failed: it is repeated as the retry policy says, or the activity fails.
    func failActivity(
        _ token: ActivityTaskToken,
        failure: RawMessage<Failure>?,
        lastHeartbeat: RawMessage<Payloads>?,
        identity: String,
        reply: Reply<Void>
    )
    /// A worker cancelled an attempt of an activity, as the workflow had asked.
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
    /// A worker answers a query that no workflow task carried.
    func answerQuery(_ token: TaskToken.QueryToken, _ answer: QueryAnswer, reply: Reply<Void>)

    /// A command of a topic. A failure means: not carried out, to be given again later.
    func submit(_ command: IncomingCommand, reply: Reply<CommandOutcome>)
    /// A record that no one can understand: its dead letter becomes durable, once for these coordinates.
    func deadLetter(_ source: RecordCoordinates, _ letter: OutboxRecord, reply: Reply<CommandOutcome>)
}

/// What a start ends with.
public struct StartedRun: Sendable {
    /// The run that was started, or that was there.
    public let runID: RunID
    /// False where a run was there already and the request asked to use it, or was this very request before.
    public let isNew: Bool
    /// The run's status when the request was answered.
    public let status: WorkflowExecutionStatus

    public init(runID: RunID, isNew: Bool, status: WorkflowExecutionStatus) {
        self.runID = runID
        self.isNew = isNew
        self.status = status
    }
}

/// What a query ends with, unless it fails.
public enum QueryOutcome: Sendable {
    /// The worker's answer.
    case answered(RawMessage<Payloads>?)
    /// Nobody was asked, since the run has this status.
    case rejected(WorkflowExecutionStatus)
}

/// A worker's answer to a query.
public enum QueryAnswer: Sendable {
    /// The query handler's result.
    case answered(RawMessage<Payloads>?)
    /// The query handler failed: its message, and the failure if the worker sent one.
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
    /// Whether to return only the event that closed the run.
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

/// A part of a run's history.
public struct HistoryPage: Sendable {
    /// Encoded frames of `History.events`.
    public let frames: [UInt8]
    /// Empty at the end.
    public let nextPageToken: [UInt8]

    /// A page; an empty `nextPageToken` says that it is the last one.
    public init(frames: [UInt8], nextPageToken: [UInt8]) {
        self.frames = frames
        self.nextPageToken = nextPageToken
    }
}
