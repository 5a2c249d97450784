internal import SagamoreAPI
internal import SagamoreProtobuf

/// What settles a debt, once the other side has it.
public enum DebtMessage: Sendable {
    /// Start a child.
    case start(StartRequest)
    /// Signal a workflow, or one of its runs.
    case signal(workflowID: String, runID: RunID?, SignalRequest)
    /// Request a cancellation.
    case cancel(workflowID: String, runID: RunID?, CancelRequest)
    /// End a child.
    case terminate(workflowID: String, TerminateRequest)
    /// Tell a parent's run how its child ended.
    case report(workflowID: String, runID: RunID, ChildEnd)
    /// Tell a schedule how a run that it started has ended.
    case reportToSchedule(ScheduledRunEnd)
}

/// The answer to a `DebtMessage`.
public enum DebtAnswer: Sendable {
    /// The other side did what was asked for.
    case done
    /// The child's first run.
    case started(RunID)
    /// The other side refused for good.
    case refused(RequestError)
}

/// The run that sends a message to another workflow.
public struct MessageSender: Equatable, Sendable {
    /// The sender's workflow id.
    public let workflowID: String
    /// The sender's run id.
    public let runID: RunID
    /// The event that the message comes from; 0 if it comes from the sender's end.
    public let eventID: Int64
    /// The child that may get it; nil if any workflow may.
    public let onlyChild: Child?

    /// Which child may get a message.
    public enum Child: Equatable, Sendable {
        /// Any child of the sender's run.
        case any
        /// The child of this event.
        case initiated(Int64)
    }

    public init(workflowID: String, runID: RunID, eventID: Int64, onlyChild: Child? = nil) {
        self.workflowID = workflowID
        self.runID = runID
        self.eventID = eventID
        self.onlyChild = onlyChild
    }

    /// Whether a workflow with this parent may get the message.
    func reaches(childOf parent: Lineage.Parent?) -> Bool {
        switch onlyChild {
        case nil: true
        case .any: parent?.runID == runID
        case .initiated(let eventID): parent?.runID == runID && parent?.initiatedEventID == eventID
        }
    }

    /// The sender in events.
    var execution: WorkflowExecution { WorkflowExecution(workflowID, runID) }
}

extension Execution {
    /// The message for what the run owes from an event; nil if it owes nothing from it.
    ///
    /// - Parameter namespace: the run's namespace.
    /// - Throws: why there can be no message. It is the answer, then.
    public func message(
        for eventID: Int64,
        from namespace: NamespaceName,
        limits: Limits = Limits()
    ) throws(RequestError) -> DebtMessage? {
        guard isRunning else { return messageAfterClose(for: eventID) }
        if let child = durable.children[eventID], let start = child.start {
            let metadata = child.initiated?.userMetadata
            return .start(try childStart(start, metadata, initiatedEventID: eventID, from: namespace, limits))
        }
        if case .signalExternalWorkflowExecutionInitiatedEventAttributes(let signal)? = durable.signals[eventID]?
            .attributes
        {
            return try message(signal, eventID)
        }
        if case .requestCancelExternalWorkflowExecutionInitiatedEventAttributes(let cancel)? =
            durable.cancels[eventID]?.attributes
        {
            return try message(cancel, eventID)
        }
        return nil
    }

    private func messageAfterClose(for eventID: Int64) -> DebtMessage? {
        if let end = durable.unreportedEnd, end.eventID == eventID, let parent = durable.parent {
            let report = ChildEnd(
                initiatedEventID: parent.initiatedEventID,
                workflowID: key.workflowID,
                runID: runID,
                firstRunID: RunID(durable.firstRunID) ?? runID,
                event: end
            )
            return .report(workflowID: parent.workflowID, runID: parent.runID, report)
        }
        if let end = durable.unreportedEnd, end.eventID == eventID, let schedule = durable.schedule {
            return .reportToSchedule(
                ScheduledRunEnd(
                    schedule: schedule,
                    workflowID: key.workflowID,
                    firstRunID: RunID(durable.firstRunID) ?? runID,
                    event: end
                )
            )
        }
        guard durable.childrenToEnd.contains(eventID), let child = durable.children[eventID] else { return nil }
        let sender = sender(0, onlyChild: .initiated(eventID))
        if child.parentClosePolicy == .requestCancel {
            let request = CancelRequest(
                reason: "",
                identity: serverIdentity,
                requestID: messageID(eventID),
                sender: sender
            )
            return .cancel(workflowID: child.workflowID, runID: nil, request)
        }
        let request = TerminateRequest(reason: "by parent close policy", identity: serverIdentity, sender: sender)
        return .terminate(workflowID: child.workflowID, request)
    }

    private func sender(_ eventID: Int64, onlyChild: MessageSender.Child? = nil) -> MessageSender {
        MessageSender(workflowID: key.workflowID, runID: runID, eventID: eventID, onlyChild: onlyChild)
    }

    /// The id by which the receiver recognizes a repeated message.
    private func messageID(_ eventID: Int64) -> String { MessageID(sender: runID, eventID: eventID).text }

    private func message(
        _ signal: SignalExternalWorkflowExecutionInitiatedEventAttributes,
        _ eventID: Int64
    ) throws(RequestError) -> DebtMessage {
        let target = try target(signal.workflowExecution)
        let request = SignalRequest(
            name: signal.signalName,
            input: signal.input,
            header: signal.header,
            requestID: messageID(eventID),
            sender: sender(eventID, onlyChild: signal.childWorkflowOnly ? .any : nil)
        )
        return .signal(workflowID: target.workflowID, runID: target.runID, request)
    }

    private func message(
        _ cancel: RequestCancelExternalWorkflowExecutionInitiatedEventAttributes,
        _ eventID: Int64
    ) throws(RequestError) -> DebtMessage {
        let target = try target(cancel.workflowExecution)
        let request = CancelRequest(
            reason: cancel.reason,
            identity: serverIdentity,
            requestID: messageID(eventID),
            sender: sender(eventID, onlyChild: cancel.childWorkflowOnly ? .any : nil)
        )
        return .cancel(workflowID: target.workflowID, runID: target.runID, request)
    }

    /// - Throws: `notFound` when a workflow names itself, which Temporal answers so.
    private func target(_ execution: WorkflowExecution?) throws(RequestError) -> (workflowID: String, runID: RunID?) {
        let workflowID = execution?.workflowID ?? ""
        guard !workflowID.hasSameBytes(as: key.workflowID) else { throw .workflowNotFound(workflowID) }
        return (workflowID, RunID(execution?.runID ?? ""))
    }

    /// The start of a child.
    func childStart(
        _ initiated: StartChildWorkflowExecutionInitiatedEventAttributes,
        _ metadata: RawMessage<UserMetadata>?,
        initiatedEventID: Int64,
        from namespace: NamespaceName,
        _ limits: Limits
    ) throws(RequestError) -> StartRequest {
        var request = StartWorkflowExecutionRequest()
        request.workflowID = initiated.workflowID
        request.workflowType = initiated.workflowType
        request.taskQueue = initiated.taskQueue
        request.input = initiated.input
        request.workflowExecutionTimeout = initiated.workflowExecutionTimeout
        request.workflowRunTimeout = initiated.workflowRunTimeout
        request.workflowTaskTimeout = initiated.workflowTaskTimeout
        request.requestID = messageID(initiatedEventID)
        request.workflowIDReusePolicy = initiated.workflowIDReusePolicy
        request.retryPolicy = initiated.retryPolicy
        request.cronSchedule = initiated.cronSchedule
        request.memo = initiated.memo
        request.searchAttributes = initiated.searchAttributes
        request.header = initiated.header
        request.userMetadata = metadata
        request.priority = merged(initiated.priority, over: durable.priority)
        var lineage = Lineage()
        lineage.parent = Lineage.Parent(
            namespaceID: namespace.id,
            namespaceName: namespace.name,
            workflowID: key.workflowID,
            runID: runID,
            initiatedEventID: initiatedEventID
        )
        lineage.root = durable.root ?? Lineage.Root(workflowID: key.workflowID, runID: runID)
        return try StartRequest(request, lineage: lineage, limits: limits)
    }

    private func merged(_ own: Priority?, over inherited: Priority?) -> Priority? {
        guard let own, var merged = inherited else { return own ?? inherited }
        if own.priorityKey != 0 { merged.priorityKey = own.priorityKey }
        if !own.fairnessKey.isEmpty { merged.fairnessKey = own.fairnessKey }
        if own.fairnessWeight != 0 { merged.fairnessWeight = own.fairnessWeight }
        return merged
    }
}

extension Execution {
    /// The run ends with the decision's last event: what it owes then is to be delivered.
    func oweAfterClose(in draft: inout Draft) {
        // What the same task initiated is not sent any more.
        draft.decision.debts = []
        for child in durable.children.values where child.parentClosePolicy != .abandon {
            draft.decision.debts.append(child.initiatedEventID)
        }
        guard durable.parent != nil || durable.schedule != nil, case .event(let last)? = draft.decision.entries.last,
            last.event.successorRunID.isEmpty
        else { return }
        draft.decision.debts.append(last.id)
    }

    /// Records the answer to what the run owes from an event, which settles it. Does nothing if the run owes nothing
    /// from it any more.
    ///
    /// - Parameter namespace: the run's namespace.
    public func decide(
        _ answer: DebtAnswer,
        to eventID: Int64,
        from namespace: NamespaceName,
        at now: Instant
    ) -> Decision {
        var draft = Draft(self, at: now)
        guard durable.owes(eventID) else { return draft.decision }
        guard isRunning else {
            draft.fact(.debtSettled(eventID: eventID))
            return draft.decision
        }
        if let child = durable.children[eventID] {
            record(answer, to: child, in: &draft)
        } else if let signal = durable.signals[eventID] {
            record(answer, toSignal: signal, namespace, in: &draft)
        } else if let cancel = durable.cancels[eventID] {
            record(answer, toCancel: cancel, namespace, in: &draft)
        }
        scheduleWorkflowTask(in: &draft)
        return draft.decision
    }
}
