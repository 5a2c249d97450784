public import SagamoreAPI
public import SagamoreEngine
public import SagamoreProtobuf

/// The service that owns executions, as seen by other services. Each reply is sent after its contents are committed.
public protocol HistoryClient: RunAdministration, DebtRecipient {
    /// Starts a workflow, or returns the existing run when the request's policies say so.
    func start(_ request: StartRequest, namespace: Int32, reply: Reply<StartedRun>)
    /// Signals a run. The reply is the run's id.
    func signal(_ workflow: WorkflowReference, _ request: SignalRequest, reply: Reply<RunID>)
    /// Requests cancellation of a run. Its code decides what to do.
    func cancel(_ workflow: WorkflowReference, _ request: CancelRequest, reply: Reply<Void>)
    /// Ends a run at once, without running its code.
    func terminate(_ workflow: WorkflowReference, _ request: TerminateRequest, reply: Reply<Void>)
    /// Forgets the worker that has the workflow in its cache, so that any worker gets its next tasks.
    func resetStickyQueue(_ workflow: WorkflowReference, reply: Reply<Void>)
    /// Queries a run through a worker, unless the run has a status that `rejecting` names. Fails at `deadline`.
    func query(
        _ workflow: WorkflowReference,
        _ query: WorkflowQuery,
        rejecting: QueryRejectCondition,
        deadline: Instant,
        reply: Reply<QueryOutcome>
    )
    /// Updates a run through a worker. Replies when the update has reached the stage, or at `deadline` how far it has
    /// come.
    func update(
        _ workflow: WorkflowReference,
        _ request: UpdateRequest,
        waitingFor stage: UpdateWorkflowExecutionLifecycleStage,
        deadline: Instant,
        reply: Reply<UpdateStatus>
    )
    /// Starts a workflow, or uses the one that is open, and updates it: both take effect, or none. Replies as `update`
    /// does. An error says what became of each of the two (`RequestError.Detail.operations`).
    func startAndUpdate(
        _ start: StartRequest,
        _ update: UpdateRequest,
        namespace: Int32,
        waitingFor stage: UpdateWorkflowExecutionLifecycleStage,
        deadline: Instant,
        reply: Reply<StartedUpdate>
    )
    /// Waits for an update that was sent before; replies as `update` does. Fails with `notFound` when the run does not
    /// know it.
    func pollUpdate(
        _ workflow: WorkflowReference,
        id: String,
        waitingFor stage: UpdateWorkflowExecutionLifecycleStage,
        deadline: Instant,
        reply: Reply<UpdateStatus>
    )
    /// Describes a run: its status, pending activities, and pending workflow task.
    func describe(_ workflow: WorkflowReference, reply: Reply<DescribeWorkflowExecutionResponse>)
    /// Reads a page of a run's history.
    func readHistory(_ workflow: WorkflowReference, _ request: HistoryRead, reply: Reply<HistoryPage>)

    /// Starts a workflow task or a query for a poller. Fails with `notFound` when it is not due any more.
    func startWorkflowTask(_ task: MatchingTask, for poller: PollerIdentity, reply: Reply<PolledWorkflowTask>)
    /// Starts an attempt of an activity for a poller. Fails with `notFound` when it is not due any more.
    func startActivityTask(_ task: MatchingTask, for poller: PollerIdentity, reply: Reply<AssignedActivityTask>)
    /// Offers a task on the normal queue, because its sticky queue has no worker.
    func abandonSticky(_ task: MatchingTask)

    /// Completes a workflow task. Fails when the token's task is not running any more.
    func completeWorkflowTask(
        _ token: WorkflowTaskToken,
        _ request: RespondWorkflowTaskCompletedRequest,
        reply: Reply<CompletedWorkflowTask>
    )
    /// Fails a workflow task. It is offered again.
    func failWorkflowTask(
        _ token: WorkflowTaskToken,
        cause: WorkflowTaskFailedCause,
        failure: RawMessage<Failure>?,
        identity: String,
        reply: Reply<Void>
    )
    /// Completes an attempt of an activity.
    func completeActivity(
        _ token: ActivityTaskToken,
        result: RawMessage<Payloads>?,
        identity: String,
        reply: Reply<Void>
    )
    /// Fails an attempt of an activity. It is retried by the retry policy, or the activity fails.
    func failActivity(
        _ token: ActivityTaskToken,
        failure: RawMessage<Failure>?,
        lastHeartbeat: RawMessage<Payloads>?,
        identity: String,
        reply: Reply<Void>
    )
    /// Confirms the cancellation of an activity that the workflow requested.
    func cancelActivity(
        _ token: ActivityTaskToken,
        details: RawMessage<Payloads>?,
        identity: String,
        reply: Reply<Void>
    )
    /// Records a heartbeat.
    func heartbeat(_ token: ActivityTaskToken, details: RawMessage<Payloads>?, reply: Reply<HeartbeatAnswer>)
    /// Takes an answer from outside to an activity of a workflow, by the activity's id. The reply matters to heartbeats
    /// alone.
    func answerActivity(
        _ activityID: String,
        of workflow: WorkflowReference,
        _ answer: ActivityAnswer,
        identity: String,
        reply: Reply<HeartbeatAnswer>
    )
    /// Carries out an operator's action on pending activities. The reply is the options that it asked for, if any.
    func operate(
        _ operation: ActivityOperation,
        on activities: ActivitySelection,
        of workflow: WorkflowReference,
        identity: String,
        reply: Reply<ActivityOptions?>
    )
    /// Returns an attempt whose delivery to its poller has failed.
    func returnActivity(_ token: ActivityTaskToken)
    /// Answers a query that was delivered as a task of its own.
    func answerQuery(_ token: TaskToken.QueryToken, _ answer: QueryAnswer, reply: Reply<Void>)

    /// Executes a command from a topic. After a failure, the command has had no effect and is to be submitted again.
    func submit(_ command: IncomingCommand, reply: Reply<CommandOutcome>)
    /// Stores the dead letter of an invalid record, once for these coordinates.
    func deadLetter(_ source: RecordCoordinates, _ letter: OutboxRecord, reply: Reply<CommandOutcome>)
}

extension HistoryClient {
    /// Refuses: a service without parents has no children either.
    public func reportChildEnd(_ parent: WorkflowReference, _ end: ChildEnd, reply: Reply<Void>) {
        reply.fail(RequestError(.unimplemented, "this service has no parents of workflows"))
    }
}

/// The result of a start.
public struct StartedRun: Sendable {
    /// The run that was started, or the existing run.
    public let runID: RunID
    /// The first run of its chain.
    public let firstRunID: RunID
    /// False for an existing run that the request asked to use, or that the same request had started.
    public let isNew: Bool
    /// The run's status at the time of the answer.
    public let status: WorkflowExecutionStatus
    /// Whether the request is attached to the existing run, or was before.
    public var isAttached = false
    /// The run's first workflow task, if the start asked for it.
    public var eagerTask: AssignedWorkflowTask?

    /// - Parameter firstRunID: the first run of the chain; nil when it is this one.
    public init(runID: RunID, firstRunID: RunID? = nil, isNew: Bool, status: WorkflowExecutionStatus) {
        self.runID = runID
        self.firstRunID = firstRunID ?? runID
        self.isNew = isNew
        self.status = status
    }
}

/// The result of a query that has not failed.
public enum QueryOutcome: Sendable {
    /// The worker's answer.
    case answered(RawMessage<Payloads>?)
    /// No worker was asked, because the run has this status.
    case rejected(WorkflowExecutionStatus)
}

/// How far an update has come.
public struct UpdateStatus: Sendable {
    /// The run that the update belongs to.
    public let runID: RunID
    /// The stage that it has reached.
    public let stage: UpdateWorkflowExecutionLifecycleStage
    /// Its outcome, in the last stage. A rejection is a failure.
    public let outcome: Outcome?

    public init(runID: RunID, stage: UpdateWorkflowExecutionLifecycleStage, outcome: Outcome? = nil) {
        self.runID = runID
        self.stage = stage
        self.outcome = outcome
    }
}

/// The result of a start together with an update.
public struct StartedUpdate: Sendable {
    /// The run that was started, or the one that was updated.
    public let run: StartedRun
    /// How far the update has come.
    public let update: UpdateStatus
    /// Whether the run had completed the update before.
    public let isRepeated: Bool

    public init(run: StartedRun, update: UpdateStatus, isRepeated: Bool = false) {
        self.run = run
        self.update = update
        self.isRepeated = isRepeated
    }
}

/// A worker's answer to a query.
public enum QueryAnswer: Sendable {
    /// The query handler's result.
    case answered(RawMessage<Payloads>?)
    /// The query handler failed, with its message and the failure if the worker sent one.
    case failed(message: String, RawMessage<Failure>?)
}

/// What is reported of an activity by its id.
public enum ActivityAnswer: Sendable {
    /// It has succeeded with this result.
    case completed(RawMessage<Payloads>?)
    /// Its attempt has failed; the details of a last heartbeat go to the next attempt.
    case failed(RawMessage<Failure>?, lastHeartbeat: RawMessage<Payloads>?)
    /// It has ended because its cancellation was requested.
    case canceled(RawMessage<Payloads>?)
    /// It is still at work.
    case heartbeat(RawMessage<Payloads>?)
}

/// A request to read a part of a history.
public struct HistoryRead: Sendable {
    /// The token of an earlier page, or empty.
    public let pageToken: [UInt8]
    /// The most events in the page. The service has a bound of its own, too.
    public let pageSize: Int
    /// Whether to wait for new events, or for the close event, when there are none.
    public let waitsForNews: Bool
    /// Whether to return only the event that closed the run.
    public let onlyCloseEvent: Bool
    /// When to stop waiting.
    public let deadline: Instant
    /// Whether to read from the end: the newest event comes first. Such a read neither waits nor filters.
    public let isReversed: Bool

    public init(
        pageToken: [UInt8],
        pageSize: Int,
        waitsForNews: Bool,
        onlyCloseEvent: Bool,
        deadline: Instant,
        isReversed: Bool = false
    ) {
        self.isReversed = isReversed
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

    /// Creates a page. It is the last one when `nextPageToken` is empty.
    public init(frames: [UInt8], nextPageToken: [UInt8]) {
        self.frames = frames
        self.nextPageToken = nextPageToken
    }
}
