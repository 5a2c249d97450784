public import SagamoreAPI
public import SagamoreProtobuf

/// The start of a workflow task for a poller.
public final class WorkflowTaskStartRequest: Sendable {
    /// The task for the poller.
    public let stamp: WorkflowTaskStamp
    /// Whether the poller polls the sticky queue, and so has the run in its cache.
    public let isSticky: Bool
    /// The polling worker.
    public let identity: String
    /// The id of the poll, so that a repeated poll gets the same task.
    public let requestID: String
    /// The worker's build id.
    public let buildID: String
    /// A random number for the task's token.
    public let nonce: UInt64
    /// The owner's epoch, for the task's token.
    public let epoch: Int64
    /// Whether the task is started with its run, for the client that starts it.
    public let isEager: Bool

    /// The start of a task that is due, for a poller or with its run.
    public init(
        stamp: WorkflowTaskStamp,
        isSticky: Bool,
        isEager: Bool = false,
        identity: String,
        requestID: String,
        buildID: String = "",
        nonce: UInt64,
        epoch: Int64
    ) {
        self.stamp = stamp
        self.isSticky = isSticky
        self.isEager = isEager
        self.identity = identity
        self.requestID = requestID
        self.buildID = buildID
        self.nonce = nonce
        self.epoch = epoch
    }
}

/// The contents of a workflow task's token.
public struct WorkflowTaskToken: Equatable, Sendable {
    /// The workflow that the task belongs to.
    public let key: WorkflowKey
    /// The run that the task belongs to.
    public let runID: RunID
    /// The id of the task's WorkflowTaskStarted.
    public let startedEventID: Int64
    /// The number of the attempt, from 1.
    public let attempt: Int32
    /// The random number of this start, which distinguishes it from another start with the same ids.
    public let nonce: UInt64
    /// The epoch of the owner that issued the task.
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
    /// Starts the due task for a poller.
    ///
    /// - Throws: `notFound` when the task is no longer due.
    public func decide(
        _ start: WorkflowTaskStartRequest,
        at now: Instant,
        limits: Limits = Limits()
    ) throws(RequestError) -> Decision {
        guard isRunning, volatile.startedTask == nil, let task = workflowTask, task.stamp == start.stamp else {
            throw .workflowTaskNotFound
        }
        var draft = Draft(self, at: now)
        var scheduledEventID = task.scheduledEventID
        var attempt = task.attempt
        var form = task.form
        if form != .written {
            if task.afterEventID == durable.lastEventID {
                scheduledEventID = draft.nextEventID
            } else {
                // With new events it is a new task, not another attempt.
                attempt = 1
                form = .written
                let attributes = scheduledAttributes(sticky: start.isSticky ? task.stickyQueue : "", attempt: 1)
                scheduledEventID =
                    draft.event(.workflowTaskScheduled, .workflowTaskScheduledEventAttributes(attributes)).id
            }
        }
        let startedEventID = draft.nextEventID + (form == .written ? 0 : 1)
        let started = StartedWorkflowTask(
            scheduledEventID: scheduledEventID,
            startedEventID: startedEventID,
            attempt: attempt,
            scheduledAt: task.scheduledAt,
            startedAt: now,
            identity: start.identity,
            requestID: start.requestID,
            buildID: start.buildID,
            nonce: start.nonce,
            epoch: start.epoch,
            // Temporal does not tell the size of a history that begins.
            historyBytes: start.isEager ? 0 : durable.historyBytes,
            continueAsNewReasons: continueAsNewReasons(startedEventID: startedEventID, limits),
            form: form,
            stickyQueue: task.stickyQueue,
            normalQueue: durable.taskQueue,
            timeout: taskTimeout(attempt: attempt)
        )
        draft.volatile(.workflowTaskStarted(started))
        let isSticky = start.isSticky && form != .transient && durable.previousStartedEventID > 0
        draft.decision.reply = .workflowTask(
            delivery(
                of: started,
                sticky: isSticky,
                previous: durable.previousStartedEventID,
                messages: messages(for: started, draft),
                draft
            )
        )
        return draft.decision
    }

    func delivery(
        of started: StartedWorkflowTask,
        sticky isSticky: Bool,
        previous: Int64,
        messages: [ProtocolMessage],
        _ draft: Draft
    ) -> WorkflowTaskDelivery {
        WorkflowTaskDelivery(
            task: started,
            workflowType: durable.workflowType,
            previousStartedEventID: previous,
            isSticky: isSticky,
            messages: messages,
            unwrittenEvents: startedEvents(started).map { RecordedEvent($0) },
            lastWrittenEventID: draft.lastEventID
        )
    }

    /// Fails the task, as the worker reports.
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

    /// Ends a started task that failed or timed out. Writes its events (unless it is a later attempt) and the buffered
    /// events, and makes the next attempt due. After a sticky task, or with new events, that is a first attempt on the
    /// normal queue.
    func lose(_ started: StartedWorkflowTask, in draft: inout Draft, write: (inout Draft) -> Void) {
        if started.form != .transient {
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
        draft.decision.offers.append(.workflow(route: route, stickyQueue: "", stamp: stamp))
    }

    func writeStarted(_ started: StartedWorkflowTask, in draft: inout Draft) {
        for event in startedEvents(started) { draft.append(event) }
    }

    /// The events of a started task, as they will be written.
    func startedEvents(_ started: StartedWorkflowTask) -> [HistoryEvent] {
        var events: [HistoryEvent] = []
        if started.form != .written {
            events.append(
                scheduledEvent(
                    started.scheduledEventID,
                    attempt: started.attempt,
                    at: started.scheduledAt,
                    sticky: started.stickyQueue
                )
            )
        }
        var attributes = WorkflowTaskStartedEventAttributes()
        attributes.scheduledEventID = started.scheduledEventID
        attributes.identity = started.identity
        attributes.requestID = started.requestID
        attributes.workerVersion = workerVersion(started.buildID)
        attributes.historySizeBytes = started.historyBytes
        attributes.suggestContinueAsNew = !started.continueAsNewReasons.isEmpty
        attributes.suggestContinueAsNewReasons = started.continueAsNewReasons
        var event = HistoryEvent()
        event.eventID = started.startedEventID
        if started.form == .written { event.taskID = event.eventID }
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

    /// Times the started task out.
    func timeOutStartedTask(_ started: StartedWorkflowTask, in draft: inout Draft) {
        var started = started
        // Nobody remembers who held a task that was not written.
        if started.form == .speculative { started.identity = "" }
        lose(started, in: &draft) { [started] draft in
            var attributes = WorkflowTaskTimedOutEventAttributes()
            attributes.scheduledEventID = started.scheduledEventID
            attributes.startedEventID = started.startedEventID
            attributes.timeoutType = .startToClose
            draft.event(.workflowTaskTimedOut, .workflowTaskTimedOutEventAttributes(attributes))
        }
    }

    /// Moves a task that nobody took in time from the sticky queue to the normal one. A speculative task is written.
    func timeOutWaitingTask(_ task: WorkflowTask, in draft: inout Draft) {
        draft.writeSpeculativeTask(of: self)
        var attributes = WorkflowTaskTimedOutEventAttributes()
        attributes.scheduledEventID = task.scheduledEventID
        attributes.timeoutType = .scheduleToStart
        draft.event(.workflowTaskTimedOut, .workflowTaskTimedOutEventAttributes(attributes))
        writeWorkflowTaskScheduled(in: &draft, sticky: "")
    }

    /// Offers the due task on the normal queue without writing an event, because the sticky queue's worker has shut
    /// down or was not seen for a long time.
    public func decideStickyAbandoned(_ stamp: WorkflowTaskStamp, at now: Instant) -> Decision {
        var draft = Draft(self, at: now)
        guard isRunning, volatile.startedTask == nil, workflowTask?.stamp == stamp else { return draft.decision }
        draft.volatile(.stickyAbandoned)
        draft.decision.offers.append(.workflow(route: route, stickyQueue: "", stamp: stamp))
        return draft.decision
    }
}
