public import SagamoreAPI
public import SagamoreProtobuf

/// A signal from outside, checked.
public final class SignalRequest: Sendable {
    /// The signal's name.
    public let name: String
    /// The arguments, as the sender encoded them.
    public let input: RawMessage<Payloads>?
    /// The headers, as the sender encoded them.
    public let header: RawMessage<Header>?
    /// Who sent it.
    public let identity: String
    /// The same id again has no effect. Empty: never the same.
    public let requestID: String
    /// The Kafka command that it came from, or nil when it came over gRPC.
    public let origin: CommandOrigin?

    /// Checks a signal. Throws `RequestError` when the name is empty, or something is longer than `limits` allow.
    public init(
        name: String,
        input: RawMessage<Payloads>?,
        header: RawMessage<Header>?,
        identity: String,
        requestID: String,
        origin: CommandOrigin? = nil,
        limits: Limits
    ) throws(RequestError) {
        try checkIdentifier(name, "SignalName", missing: "SignalName is not set on request.", limits)
        try checkIdentifier(requestID, "RequestId", missing: nil, limits)
        try checkSize(input?.bytes.count, limits)
        self.name = name
        self.input = input
        self.header = header
        self.identity = identity
        self.requestID = requestID
        self.origin = origin
    }
}

/// A request to cancel: workflow code hears of it and decides.
public final class CancelRequest: Sendable {
    /// Why the run is to be cancelled.
    public let reason: String
    /// Who asks for it.
    public let identity: String
    /// Not stored: a second request has no effect whatever its id, and a signal may have the same one.
    public let requestID: String
    /// The Kafka command that it came from, or nil when it came over gRPC.
    public let origin: CommandOrigin?

    public init(reason: String, identity: String, requestID: String, origin: CommandOrigin? = nil) {
        self.reason = reason
        self.identity = identity
        self.requestID = requestID
        self.origin = origin
    }
}

/// Who acts where it is the server itself; the word that clients know.
public let serverIdentity = "history-service"

/// Why a run was ended by a limit, in the words that clients know.
let historyCountExceeded = "Workflow history count exceeds limit."
let historySizeExceeded = "Workflow history size exceeds limit."

/// A termination: the run ends at once, no code runs.
public final class TerminateRequest: Sendable {
    /// Why the run is terminated.
    public let reason: String
    /// Details for the run's last event.
    public let details: RawMessage<Payloads>?
    /// Who asks for it.
    public let identity: String
    /// The Kafka command that it came from, or nil when it came over gRPC.
    public let origin: CommandOrigin?

    public init(
        reason: String,
        details: RawMessage<Payloads>? = nil,
        identity: String,
        origin: CommandOrigin? = nil
    ) {
        self.reason = reason
        self.details = details
        self.identity = identity
        self.origin = origin
    }
}

extension Execution {
    /// - Throws: `notFound` when the run is closed, `invalidArgument` when it has taken all the signals it may,
    ///   `resourceExhausted` when it is about to close.
    public func decide(
        _ signal: SignalRequest,
        at now: Instant,
        limits: Limits = Limits()
    ) throws(RequestError) -> Decision {
        var draft = Draft(self, at: now)
        // Of a closed run too: whoever did not hear that it took effect asks again.
        if hasSeen(signal.requestID) { return draft.decision }
        guard isRunning else { throw .workflowClosed }
        let waiting = durable.bufferedEvents.count { $0.eventType == .workflowExecutionSignaled }
        guard durable.signalCount + waiting < limits.signals else {
            throw .invalidArgument("exceeded workflow execution limit for signal events")
        }
        let bytes = durable.historyBytes + Int64(durable.bufferedBytes + (signal.input?.bytes.count ?? 0))
        guard bytes <= limits.historyBytes else {
            throw .invalidArgument("exceeded workflow execution limit for history size")
        }
        // Who sends over gRPC tries again. What a topic brings comes once, and is taken.
        if durable.closeWasRefused, volatile.startedTask != nil, signal.origin == nil { throw .workflowClosing }
        var attributes = WorkflowExecutionSignaledEventAttributes()
        attributes.signalName = signal.name
        attributes.input = signal.input
        attributes.identity = signal.identity
        attributes.header = signal.header
        attributes.requestID = signal.requestID
        draft.outside(self, .workflowExecutionSignaled, .workflowExecutionSignaledEventAttributes(attributes))
        if !signal.requestID.isEmpty { draft.fact(.requestSeen(signal.requestID)) }
        scheduleWorkflowTask(in: &draft)
        deliver(signal.origin, in: &draft)
        return draft.decision
    }

    /// Whether a request with this id took effect before. An empty one is never the same.
    public func hasSeen(_ requestID: String) -> Bool {
        !requestID.isEmpty && durable.requestIDs.contains(ExactText(requestID))
    }

    /// A second request has no effect of its own, nor has one for a closed run. A start delay ends with it.
    public func decide(_ cancel: CancelRequest, at now: Instant) throws(RequestError) -> Decision {
        var draft = Draft(self, at: now)
        guard isRunning else {
            if cancel.origin != nil { throw .workflowClosed }
            return draft.decision
        }
        let isBuffered = durable.bufferedEvents.contains { $0.eventType == .workflowExecutionCancelRequested }
        guard !durable.cancelRequested, !isBuffered else {
            deliver(cancel.origin, in: &draft)
            return draft.decision
        }
        var attributes = WorkflowExecutionCancelRequestedEventAttributes()
        attributes.cause = cancel.reason
        attributes.identity = cancel.identity
        draft.outside(
            self,
            .workflowExecutionCancelRequested,
            .workflowExecutionCancelRequestedEventAttributes(attributes)
        )
        scheduleWorkflowTask(in: &draft, endsStartDelay: true)
        deliver(cancel.origin, in: &draft)
        return draft.decision
    }

    /// - Throws: `notFound` when the run is closed.
    public func decide(_ terminate: TerminateRequest, at now: Instant) throws(RequestError) -> Decision {
        guard isRunning else { throw .workflowClosed }
        var draft = Draft(self, at: now)
        deliver(terminate.origin, in: &draft)
        self.terminate(terminate.reason, details: terminate.details, identity: terminate.identity, in: &draft)
        return draft.decision
    }

    /// The limit of the history that would be passed by one more event from a worker; those that wait count, too.
    ///
    /// - Parameter bytes: the size of what the event would carry.
    func exceededLimit(adding bytes: Int, _ limits: Limits) -> String? {
        if durable.lastEventID + Int64(durable.bufferedEvents.count) >= limits.historyEvents {
            return historyCountExceeded
        }
        let whole = durable.historyBytes + Int64(durable.bufferedBytes + bytes)
        return whole > limits.historyBytes ? historySizeExceeded : nil
    }

    /// Ends the run, which has reached a limit.
    func closing(_ reason: String, at now: Instant) -> Decision {
        var draft = Draft(self, at: now)
        terminate(reason, details: nil, identity: serverIdentity, in: &draft)
        return draft.decision
    }

    private func terminate(
        _ reason: String,
        details: RawMessage<Payloads>?,
        identity: String,
        in draft: inout Draft
    ) {
        failRunningTask(.forceCloseCommand, in: &draft)
        var attributes = WorkflowExecutionTerminatedEventAttributes()
        attributes.reason = reason
        attributes.details = details
        attributes.identity = identity
        draft.event(.workflowExecutionTerminated, .workflowExecutionTerminatedEventAttributes(attributes))
        closed(.terminated, in: &draft) { $0.reasonMessage = reason }
    }

    /// Ends the run with a timeout.
    func timeOut(_ retryState: RetryState, in draft: inout Draft) {
        failRunningTask(.forceCloseCommand, in: &draft)
        var attributes = WorkflowExecutionTimedOutEventAttributes()
        attributes.retryState = retryState
        draft.event(.workflowExecutionTimedOut, .workflowExecutionTimedOutEventAttributes(attributes))
        closed(.timedOut, in: &draft) { _ in }
    }

    /// Before a run is closed from outside, the task that a worker has is failed, and what waited for it is written.
    private func failRunningTask(_ cause: WorkflowTaskFailedCause, in draft: inout Draft) {
        guard let started = volatile.startedTask else {
            flushBufferedEvents(in: &draft)
            return
        }
        if started.attempt == 1 {
            writeStarted(started, in: &draft)
            writeFailed(started, cause: cause, failure: nil, identity: serverIdentity, in: &draft)
        }
        flushBufferedEvents(in: &draft)
    }

    /// What is owed to the command that started this run.
    func closed(_ status: StatusEvent.Status, in draft: inout Draft, _ fill: (inout StatusEvent) -> Void) {
        draft.isClosed = true
        guard let origin = durable.origin else { return }
        var event = StatusEvent(
            origin: origin,
            status: status,
            sequence: 2,
            workflowID: key.workflowID,
            workflowType: durable.workflowType,
            runID: runID,
            at: draft.now
        )
        fill(&event)
        draft.decision.statusEvents.append(event)
    }

    /// What is owed to a command that was carried out.
    private func deliver(_ origin: CommandOrigin?, in draft: inout Draft) {
        guard let origin else { return }
        draft.decision.statusEvents.append(
            StatusEvent(
                origin: origin,
                status: .delivered,
                sequence: 1,
                workflowID: key.workflowID,
                workflowType: durable.workflowType,
                runID: runID,
                at: draft.now
            )
        )
    }
}
