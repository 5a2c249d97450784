public import SagamoreAPI
public import SagamoreProtobuf

/// A poller was found for a workflow task.
public final class WorkflowTaskStartRequest: Sendable {
    /// The task that the poller is to get.
    public let stamp: WorkflowTaskStamp
    /// The poller polls the sticky queue, so it has the run in its cache.
    public let isSticky: Bool
    /// The worker that polls.
    public let identity: String
    /// The id of the poll, so that a repeated poll gets the same answer.
    public let requestID: String
    /// The worker's build id.
    public let buildID: String
    /// A random number for the task's token.
    public let nonce: UInt64
    /// The owner's epoch, for the task's token.
    public let epoch: Int64

    public init(
        stamp: WorkflowTaskStamp,
        isSticky: Bool,
        identity: String,
        requestID: String,
        buildID: String = "",
        nonce: UInt64,
        epoch: Int64
    ) {
        self.stamp = stamp
        self.isSticky = isSticky
        self.identity = identity
        self.requestID = requestID
        self.buildID = buildID
        self.nonce = nonce
        self.epoch = epoch
    }
}

/// What a workflow task's token says.
public struct WorkflowTaskToken: Equatable, Sendable {
    /// The workflow that the task belongs to.
    public let key: WorkflowKey
    /// The run that the task belongs to.
    public let runID: RunID
    /// The id of the task's WorkflowTaskStarted.
    public let startedEventID: Int64
    /// The number of the attempt, from 1.
    public let attempt: Int32
    /// The random number of this start, which tells it from another start with equal ids.
    public let nonce: UInt64
    /// The epoch of the owner that handed the task out.
    public let epoch: Int64

    public init(
        key: WorkflowKey,
        runID: RunID,
        startedEventID: Int64,
        attempt: Int32,
        nonce: UInt64,
        epoch: Int64
    ) {
        self.key = key
        self.runID = runID
        self.startedEventID = startedEventID
        self.attempt = attempt
        self.nonce = nonce
        self.epoch = epoch
    }
}

extension Execution {
    /// Gives the due task to a poller.
    ///
    /// - Throws: `notFound` when that task is not due any more.
    public func decide(
        _ start: WorkflowTaskStartRequest,
        at now: Instant,
        limits: Limits = Limits()
    ) throws(RequestError) -> Decision {
        guard isRunning, volatile.startedTask == nil, let task = durable.workflowTask,
            task.scheduledEventID == start.stamp.scheduledEventID, task.attempt == start.stamp.attempt
        else { throw .workflowTaskNotFound }
        var draft = Draft(self, at: now)
        var scheduledEventID = task.scheduledEventID
        var attempt = task.attempt
        var isTransient = task.isTransient
        if task.isTransient {
            if task.afterEventID == durable.lastEventID {
                scheduledEventID = draft.nextEventID
            } else {
                // There is something new to see: this is a task of its own, not one more try.
                attempt = 1
                isTransient = false
                let attributes = scheduledAttributes(sticky: "", attempt: 1)
                scheduledEventID =
                    draft.event(.workflowTaskScheduled, .workflowTaskScheduledEventAttributes(attributes)).id
            }
        }
        let started = StartedWorkflowTask(
            scheduledEventID: scheduledEventID,
            startedEventID: draft.nextEventID + (isTransient ? 1 : 0),
            attempt: attempt,
            scheduledAt: task.scheduledAt,
            startedAt: now,
            identity: start.identity,
            requestID: start.requestID,
            buildID: start.buildID,
            nonce: start.nonce,
            epoch: start.epoch,
            historyBytes: durable.historyBytes,
            suggestsContinueAsNew: durable.lastEventID >= limits.suggestedEvents
                || durable.historyBytes >= limits.suggestedBytes,
            isTransient: isTransient,
            normalQueue: durable.taskQueue,
            timeout: taskTimeout(attempt: attempt)
        )
        draft.volatile(.workflowTaskStarted(started))
        let isSticky = start.isSticky && !isTransient && durable.previousStartedEventID > 0
        draft.decision.reply = .workflowTask(
            delivery(of: started, sticky: isSticky, previous: durable.previousStartedEventID, draft)
        )
        return draft.decision
    }

    func delivery(
        of started: StartedWorkflowTask,
        sticky isSticky: Bool,
        previous: Int64,
        _ draft: Draft
    ) -> WorkflowTaskDelivery {
        WorkflowTaskDelivery(
            task: started,
            workflowType: durable.workflowType,
            previousStartedEventID: previous,
            isSticky: isSticky,
            unwrittenEvents: startedEvents(started).map { RecordedEvent($0) },
            lastWrittenEventID: draft.lastEventID
        )
    }

    /// The worker could not carry the task out.
    public func decide(
        failed token: WorkflowTaskToken,
        cause: WorkflowTaskFailedCause,
        failure: RawMessage<Failure>?,
        identity: String,
        at now: Instant
    ) throws(RequestError) -> Decision {
        let started = try startedTask(of: token)
        var draft = Draft(self, at: now)
        lose(started, in: &draft) { draft in
            writeFailed(started, cause: cause, failure: failure, identity: identity, in: &draft)
        }
        return draft.decision
    }

    func startedTask(of token: WorkflowTaskToken) throws(RequestError) -> StartedWorkflowTask {
        guard isRunning, let started = volatile.startedTask, started.nonce == token.nonce, started.epoch == token.epoch,
            started.startedEventID == token.startedEventID, started.attempt == token.attempt
        else { throw .workflowTaskNotFound }
        return started
    }

    /// A task that a worker had has failed or timed out: it is written (only of the first attempt), what waited is
    /// written, and the next attempt is due. Where the task was sticky or something new has come, that is a first
    /// attempt on the normal queue.
    func lose(_ started: StartedWorkflowTask, in draft: inout Draft, write: (inout Draft) -> Void) {
        if started.attempt == 1 {
            writeStarted(started, in: &draft)
            write(&draft)
        }
        let isNew = hasBufferedEvents(besides: draft)
        flushBufferedEvents(in: &draft)
        if isNew || !durable.stickyQueue.isEmpty {
            writeWorkflowTaskScheduled(in: &draft, sticky: "")
        } else {
            retryWorkflowTask(attempt: started.attempt + 1, in: &draft)
        }
    }

    private func retryWorkflowTask(attempt: Int32, in draft: inout Draft) {
        draft.fact(.workflowTaskRetried(attempt: attempt, at: draft.now))
        let stamp = WorkflowTaskStamp(scheduledEventID: 0, attempt: attempt)
        draft.decision.offers.append(.workflow(taskQueue: durable.taskQueue, stickyQueue: "", stamp: stamp))
    }

    func writeStarted(_ started: StartedWorkflowTask, in draft: inout Draft) {
        for event in startedEvents(started) { draft.append(event) }
    }

    /// The events of a task that a worker has, as they will be written.
    func startedEvents(_ started: StartedWorkflowTask) -> [HistoryEvent] {
        var events: [HistoryEvent] = []
        if started.isTransient {
            events.append(
                scheduledEvent(started.scheduledEventID, attempt: started.attempt, at: started.scheduledAt)
            )
        }
        var attributes = WorkflowTaskStartedEventAttributes()
        attributes.scheduledEventID = started.scheduledEventID
        attributes.identity = started.identity
        attributes.requestID = started.requestID
        attributes.workerVersion = workerVersion(started.buildID)
        attributes.historySizeBytes = started.historyBytes
        attributes.suggestContinueAsNew = started.suggestsContinueAsNew
        var event = HistoryEvent()
        event.eventID = started.startedEventID
        if !started.isTransient { event.taskID = event.eventID }
        event.eventTime = started.startedAt.timestamp
        event.eventType = .workflowTaskStarted
        event.attributes = .workflowTaskStartedEventAttributes(attributes)
        events.append(event)
        return events
    }

    func writeFailed(
        _ started: StartedWorkflowTask,
        cause: WorkflowTaskFailedCause,
        failure: RawMessage<Failure>?,
        identity: String,
        in draft: inout Draft
    ) {
        var attributes = WorkflowTaskFailedEventAttributes()
        attributes.scheduledEventID = started.scheduledEventID
        attributes.startedEventID = started.startedEventID
        attributes.cause = cause
        attributes.failure = failure
        attributes.identity = identity
        draft.event(.workflowTaskFailed, .workflowTaskFailedEventAttributes(attributes))
    }

    /// The worker did not answer in time.
    func timeOutStartedTask(_ started: StartedWorkflowTask, in draft: inout Draft) {
        lose(started, in: &draft) { draft in
            var attributes = WorkflowTaskTimedOutEventAttributes()
            attributes.scheduledEventID = started.scheduledEventID
            attributes.startedEventID = started.startedEventID
            attributes.timeoutType = .startToClose
            draft.event(.workflowTaskTimedOut, .workflowTaskTimedOutEventAttributes(attributes))
        }
    }

    /// Nobody polls the sticky queue: the task goes to the normal one.
    func timeOutStickyTask(_ task: WorkflowTask, in draft: inout Draft) {
        var attributes = WorkflowTaskTimedOutEventAttributes()
        attributes.scheduledEventID = task.scheduledEventID
        attributes.timeoutType = .scheduleToStart
        draft.event(.workflowTaskTimedOut, .workflowTaskTimedOutEventAttributes(attributes))
        writeWorkflowTaskScheduled(in: &draft, sticky: "")
    }

    /// The worker of the sticky queue said goodbye, or was not seen for long: the due task is offered on the normal
    /// queue without a word in the history.
    public func decideStickyAbandoned(_ stamp: WorkflowTaskStamp, at now: Instant) -> Decision {
        var draft = Draft(self, at: now)
        guard isRunning, volatile.startedTask == nil, let task = durable.workflowTask,
            task.scheduledEventID == stamp.scheduledEventID, task.attempt == stamp.attempt
        else { return draft.decision }
        draft.volatile(.stickyAbandoned)
        draft.decision.offers.append(.workflow(taskQueue: durable.taskQueue, stickyQueue: "", stamp: stamp))
        return draft.decision
    }
}
