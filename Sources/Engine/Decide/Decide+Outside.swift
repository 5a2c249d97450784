public import SagamoreAPI
public import SagamoreProtobuf

/// A validated signal.
public final class SignalRequest: Sendable {
    /// The signal's name.
    public let name: String
    /// The arguments, as the sender encoded them.
    public let input: RawMessage<Payloads>?
    /// The headers, as the sender encoded them.
    public let header: RawMessage<Header>?
    /// Who sent it.
    public let identity: String
    /// The request id, for deduplication; empty for none.
    public let requestID: String
    /// Links to what caused it.
    public let links: [Link]
    /// The Kafka command that caused it; nil for gRPC.
    public let origin: CommandOrigin?
    /// The workflow that sent it; nil for others.
    public let sender: MessageSender?

    /// Validates a signal. Throws `RequestError` when the name is empty or a value exceeds `limits`.
    public init(
        name: String,
        input: RawMessage<Payloads>?,
        header: RawMessage<Header>?,
        identity: String,
        requestID: String,
        links: [Link] = [],
        origin: CommandOrigin? = nil,
        limits: Limits
    ) throws(RequestError) {
        try checkIdentifier(name, "SignalName", missing: "SignalName is not set on request.", limits)
        try checkIdentifier(requestID, "RequestId", missing: nil, limits)
        try checkSize(input?.bytes.count, limits)
        try checkLinks(links)
        self.links = links
        self.name = name
        self.input = input
        self.header = header
        self.identity = identity
        self.requestID = requestID
        self.origin = origin
        sender = nil
    }

    /// A signal that another workflow sends. Its command was validated.
    init(
        name: String,
        input: RawMessage<Payloads>?,
        header: RawMessage<Header>?,
        requestID: String,
        sender: MessageSender
    ) {
        self.name = name
        self.input = input
        self.header = header
        identity = serverIdentity
        self.requestID = requestID
        links = []
        origin = nil
        self.sender = sender
    }
}

/// A cancel request. Workflow code receives it and decides what to do.
public final class CancelRequest: Sendable {
    /// Why the run is to be cancelled.
    public let reason: String
    /// Who asks for it.
    public let identity: String
    /// The request id. It is not stored: further requests have no effect anyway, and a signal may have the same id.
    public let requestID: String
    /// The Kafka command that caused it; nil for gRPC.
    public let origin: CommandOrigin?
    /// The workflow that sent it; nil for others.
    public let sender: MessageSender?

    public init(
        reason: String,
        identity: String,
        requestID: String,
        origin: CommandOrigin? = nil,
        sender: MessageSender? = nil
    ) {
        self.reason = reason
        self.identity = identity
        self.requestID = requestID
        self.origin = origin
        self.sender = sender
    }
}

/// The identity of the server's own actions, as in Temporal.
public let serverIdentity = "history-service"

/// A termination: the run ends at once, without running workflow code.
public final class TerminateRequest: Sendable {
    /// Why the run is terminated.
    public let reason: String
    /// Details for the run's last event.
    public let details: RawMessage<Payloads>?
    /// Who asks for it.
    public let identity: String
    /// The Kafka command that caused it; nil for gRPC.
    public let origin: CommandOrigin?
    /// The parent that ends its child; nil for others.
    public let sender: MessageSender?

    public init(
        reason: String,
        details: RawMessage<Payloads>? = nil,
        identity: String,
        origin: CommandOrigin? = nil,
        sender: MessageSender? = nil
    ) {
        self.reason = reason
        self.details = details
        self.identity = identity
        self.origin = origin
        self.sender = sender
    }
}

extension Execution {
    /// - Throws: `notFound` when the run is closed, `invalidArgument` when it has reached its limit of signals,
    ///   `resourceExhausted` when it is about to close.
    public func decide(
        _ signal: SignalRequest,
        at now: Instant,
        limits: Limits = Limits()
    ) throws(RequestError) -> Decision {
        var draft = Draft(self, at: now)
        // Also for a closed run: a client that missed the response retries.
        if hasSeen(signal.requestID) { return draft.decision }
        guard isRunning else { throw .workflowClosed }
        try checkReach(of: signal.sender)
        let waiting = durable.bufferedEvents.count { $0.eventType == .workflowExecutionSignaled }
        guard durable.signalCount + waiting < limits.signals else {
            throw .invalidArgument("exceeded workflow execution limit for signal events")
        }
        // gRPC clients retry. Commands from a topic arrive once, so they are accepted.
        if durable.closeWasRefused, volatile.startedTask != nil, signal.origin == nil { throw .workflowClosing }
        write(signal, in: &draft)
        scheduleWorkflowTask(in: &draft)
        deliver(signal.origin, in: &draft)
        return draft.decision
    }

    func write(_ signal: SignalRequest, in draft: inout Draft) {
        var attributes = WorkflowExecutionSignaledEventAttributes()
        attributes.signalName = signal.name
        attributes.input = signal.input
        attributes.identity = signal.identity
        attributes.header = signal.header
        attributes.requestID = signal.requestID
        attributes.externalWorkflowExecution = signal.sender?.execution
        let event = HistoryEvent.OneOf_Attributes.workflowExecutionSignaledEventAttributes(attributes)
        draft.outside(self, .workflowExecutionSignaled, event, links: signal.links)
        if !signal.requestID.isEmpty { draft.fact(.requestSeen(signal.requestID)) }
    }

    /// Whether a request with this id took effect before. Never for an empty id.
    public func hasSeen(_ requestID: String) -> Bool {
        !requestID.isEmpty && durable.requestIDs.contains(ExactText(requestID))
    }

    /// Requests cancellation, which also ends a start delay. Further requests, and requests to closed runs, have no
    /// effect.
    public func decide(_ cancel: CancelRequest, at now: Instant) throws(RequestError) -> Decision {
        var draft = Draft(self, at: now)
        guard isRunning else {
            if cancel.origin != nil { throw .workflowClosed }
            return draft.decision
        }
        if cancel.sender != nil, hasSeen(cancel.requestID) { return draft.decision }
        try checkReach(of: cancel.sender)
        let isBuffered = durable.bufferedEvents.contains { $0.eventType == .workflowExecutionCancelRequested }
        guard !durable.cancelRequested, !isBuffered else {
            remember(cancel, in: &draft)
            deliver(cancel.origin, in: &draft)
            return draft.decision
        }
        var attributes = WorkflowExecutionCancelRequestedEventAttributes()
        attributes.cause = cancel.reason
        attributes.identity = cancel.identity
        attributes.externalWorkflowExecution = cancel.sender?.execution
        attributes.externalInitiatedEventID = cancel.sender?.eventID ?? 0
        draft.outside(
            self,
            .workflowExecutionCancelRequested,
            .workflowExecutionCancelRequestedEventAttributes(attributes)
        )
        remember(cancel, in: &draft)
        scheduleWorkflowTask(in: &draft, endsStartDelay: true)
        deliver(cancel.origin, in: &draft)
        return draft.decision
    }

    /// A workflow repeats its request until it has heard the answer, perhaps to the next run, which must know it.
    private func remember(_ cancel: CancelRequest, in draft: inout Draft) {
        if cancel.sender != nil, !cancel.requestID.isEmpty { draft.fact(.requestSeen(cancel.requestID)) }
    }

    /// - Throws: `notFound` when the run is closed.
    public func decide(_ terminate: TerminateRequest, at now: Instant) throws(RequestError) -> Decision {
        guard isRunning else { throw .workflowClosed }
        try checkReach(of: terminate.sender)
        var draft = Draft(self, at: now)
        deliver(terminate.origin, in: &draft)
        self.terminate(terminate.reason, details: terminate.details, identity: terminate.identity, in: &draft)
        return draft.decision
    }

    /// - Throws: `notFound` when the sender means a child, and this run is not that child.
    private func checkReach(of sender: MessageSender?) throws(RequestError) {
        if let sender, !sender.reaches(childOf: durable.parent) { throw .workflowNotFound(key.workflowID) }
    }

    /// Ends the run because it reached a limit.
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
        abortUpdates(in: &draft)
    }

    /// Fails the workflow task that a worker holds and writes the buffered events, before the run is closed from
    /// outside.
    func failRunningTask(_ cause: WorkflowTaskFailedCause, in draft: inout Draft) {
        guard let started = volatile.startedTask else {
            flushBufferedEvents(in: &draft)
            return
        }
        if started.form != .transient {
            writeStarted(started, in: &draft)
            writeFailed(started, cause: cause, failure: nil, identity: serverIdentity, in: &draft)
        }
        flushBufferedEvents(in: &draft)
    }

    /// Publishes the run's outcome to the command that started it.
    func closed(_ status: StatusEvent.Status, in draft: inout Draft, _ fill: (inout StatusEvent) -> Void) {
        draft.isClosed = true
        oweAfterClose(in: &draft)
        guard let origin = durable.origin else { return }
        var event = StatusEvent(
            origin: origin,
            status: status,
            sequence: durable.publishedStatusEvents + 1,
            workflowID: key.workflowID,
            workflowType: durable.workflowType,
            runID: runID,
            at: draft.now
        )
        fill(&event)
        draft.decision.statusEvents.append(event)
    }

    /// Publishes that a command was carried out.
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
