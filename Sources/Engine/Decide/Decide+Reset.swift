public import SagamoreAPI
internal import SagamoreProtobuf

/// What the new run of a reset gets from others.
public struct ResetInheritance: Sendable {
    /// The run whose history it repeats.
    public let baseRunID: RunID
    /// The id of the request that started that run.
    public let startRequestID: String
    /// The command whose outcome the new run publishes, if the run that it replaces has not done so.
    public let origin: CommandOrigin?
    /// The number of events that were published about that command.
    public let publishedStatusEvents: Int
    /// The schedule that the new run reports to, if the run that it replaces has not done so.
    public let schedule: Lineage.Schedule?
    /// What came behind the reset point, in the form in which it is applied again.
    public let reapplied: [HistoryEvent]

    public init(
        baseRunID: RunID,
        startRequestID: String,
        origin: CommandOrigin?,
        publishedStatusEvents: Int,
        schedule: Lineage.Schedule? = nil,
        reapplied: [HistoryEvent]
    ) {
        self.schedule = schedule
        self.baseRunID = baseRunID
        self.startRequestID = startRequestID
        self.origin = origin
        self.publishedStatusEvents = publishedStatusEvents
        self.reapplied = reapplied
    }
}

/// The identity of a termination by a reset, as in Temporal.
let resetterIdentity = "history-resetter"
/// The id of a poll that never was, in Temporal's words.
private let noRequestID = "emptyUuid"

extension Execution {
    /// Begins the run of a reset. This execution has the events before `point`, and nothing else.
    ///
    /// Its workflow task fails, what came behind the point is applied again, and another workflow task is due.
    /// Activities that were pending are scheduled anew, with all their attempts.
    public func decide(
        _ reset: ResetRequest,
        at point: ResetPoint,
        _ inheritance: ResetInheritance,
        now: Instant
    ) -> Decision {
        var draft = Draft(self, at: now)
        var scheduledEventID = durable.workflowTask?.scheduledEventID ?? 0
        if durable.workflowTask == nil {
            let attributes = scheduledAttributes(sticky: "", attempt: 1)
            scheduledEventID = draft.event(.workflowTaskScheduled, .workflowTaskScheduledEventAttributes(attributes)).id
        }
        var startedEventID = draft.nextEventID
        if case .started(let eventID) = point.task {
            startedEventID = eventID
        } else {
            var attributes = WorkflowTaskStartedEventAttributes()
            attributes.scheduledEventID = scheduledEventID
            attributes.identity = serverIdentity
            attributes.requestID = noRequestID
            attributes.historySizeBytes = durable.historyBytes + draft.addedBytes
            draft.event(.workflowTaskStarted, .workflowTaskStartedEventAttributes(attributes))
        }
        var attributes = WorkflowTaskFailedEventAttributes()
        attributes.scheduledEventID = scheduledEventID
        attributes.startedEventID = startedEventID
        attributes.cause = .resetWorkflow
        attributes.failure = resetFailure(reset.reason)
        attributes.identity = serverIdentity
        attributes.baseRunID = inheritance.baseRunID.description
        attributes.newRunID = runID.description
        draft.event(.workflowTaskFailed, .workflowTaskFailedEventAttributes(attributes))
        draft.fact(
            .runReset(Fact.RunReset(requestID: reset.requestID, startRequestID: inheritance.startRequestID))
        )
        if let origin = inheritance.origin {
            draft.fact(.commandInherited(origin, publishedStatusEvents: inheritance.publishedStatusEvents))
        }
        if let schedule = inheritance.schedule { draft.fact(.scheduled(schedule)) }
        var priority = durable.priority
        var admitted: Set<ExactText> = []
        for event in inheritance.reapplied {
            if let id = event.admittedUpdateID {
                // The run has it from before the point, or two runs of the chain had updates with this id.
                guard progress(ofUpdate: id) == nil, admitted.insert(ExactText(id)).inserted else { continue }
            }
            var event = event
            event.eventTime = now.timestamp
            draft.append(event)
            if case .workflowExecutionOptionsUpdatedEventAttributes(let attributes) = event.attributes {
                priority = attributes.priority ?? priority
            }
        }
        for options in reset.options { write(options, changing: &priority, in: &draft) }
        writeWorkflowTaskScheduled(in: &draft, sticky: "")
        // What is offered depends on the options, which may have changed.
        var begun = self
        for entry in draft.decision.entries { begun.apply(entry) }
        draft.decision.offers = begun.dueTasks()
        return draft.decision
    }

    /// Ends an open run whose workflow goes on in the run of a reset.
    ///
    /// - Parameter handsOver: the new run goes on with the command that started this one, and publishes its outcome.
    public func decideEnd(for reset: ResetRequest, handsOver: Bool, at now: Instant) -> Decision {
        var draft = Draft(self, at: now)
        failRunningTask(.forceCloseCommand, in: &draft)
        var attributes = WorkflowExecutionTerminatedEventAttributes()
        attributes.reason = reset.reason
        attributes.identity = resetterIdentity
        draft.event(.workflowExecutionTerminated, .workflowExecutionTerminatedEventAttributes(attributes))
        if handsOver {
            draft.isClosed = true
        } else {
            closed(.terminated, in: &draft) { $0.reasonMessage = reset.reason }
        }
        abortUpdates(in: &draft)
        // Its parent and its children are left alone: the workflow goes on.
        draft.decision.debts = []
        return draft.decision
    }

    private func resetFailure(_ reason: String) -> RawMessage<Failure> {
        var failure = Failure()
        failure.message = reason
        failure.failureInfo = .resetWorkflowFailureInfo(ResetWorkflowFailureInfo())
        return RawMessage(failure)
    }
}

extension HistoryEvent {
    /// The id of the update that this event admits.
    fileprivate var admittedUpdateID: String? {
        guard case .workflowExecutionUpdateAdmittedEventAttributes(let attributes) = attributes else { return nil }
        return attributes.request?.meta?.updateID ?? ""
    }
}
