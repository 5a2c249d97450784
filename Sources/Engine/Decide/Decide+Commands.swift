internal import SagamoreAPI
internal import SagamoreProtobuf

/// The shared context of the commands of one workflow task.
struct CommandContext {
    let completedEventID: Int64
    let completion: WorkflowTaskCompletedRequest
    let limits: Limits
    var eagerActivities: [Int64] = []
    /// The ends of activities that were cancelled before a worker received them. They are written after all commands
    /// and buffered events, and not at all when the run ends.
    var cancelledActivities: [ActivityTaskCanceledEventAttributes] = []
    /// The changes of the memo and of the search attributes by the commands so far.
    var memos: [RawMessage<Memo>] = []
    var searchAttributes: [RawMessage<SearchAttributes>] = []
    /// The id of the run that follows this one, if the commands may end it in another.
    var successorID: RunID?
    /// The messages, by their places in the completion, that commands have put in order.
    var takenMessages: Set<Int> = []
    /// Whether a command already has an outcome, which workflow code has to see.
    var needsWorkflowTask = false

    init(_ completion: WorkflowTaskCompletedRequest, completedEventID: Int64, limits: Limits) {
        self.completedEventID = completedEventID
        self.completion = completion
        self.limits = limits
    }
}

/// Why the commands of a task cannot be carried out.
struct CommandRefusal {
    let cause: WorkflowTaskFailedCause
    /// The message for the worker: the cause's name, a colon, and the explanation.
    let message: String
    /// Whether the run ends, not only the task.
    let isTerminal: Bool

    init(_ cause: WorkflowTaskFailedCause, _ explanation: String? = nil, isTerminal: Bool = false) {
        self.cause = cause
        let name = mixedCase(cause, prefix: "WORKFLOW_TASK_FAILED_CAUSE_")
        message = explanation.map { "\(name): \($0)" } ?? name
        self.isTerminal = isTerminal
    }
}

/// An enum value's name in messages: `StartTimer` for `COMMAND_TYPE_START_TIMER`.
func mixedCase<Value: ProtobufEnum>(_ value: Value, prefix: String) -> String {
    value.description.dropFirst(prefix.count).split(separator: "_")
        .map { $0.prefix(1) + $0.dropFirst().lowercased() }.joined()
}

extension Execution {
    /// Carries one command out, or returns why not.
    func carryOut(_ command: Command, _ context: inout CommandContext, in draft: inout Draft) -> CommandRefusal? {
        switch command.attributes {
        case .scheduleActivityTaskCommandAttributes(let attributes):
            return scheduleActivity(attributes, command.userMetadata, &context, in: &draft)
        case .requestCancelActivityTaskCommandAttributes(let attributes):
            return requestCancelActivity(attributes.scheduledEventID, &context, in: &draft)
        case .startTimerCommandAttributes(let attributes):
            return startTimer(attributes, command.userMetadata, context, in: &draft)
        case .cancelTimerCommandAttributes(let attributes):
            return cancelTimer(attributes.timerID, context, in: &draft)
        case .recordMarkerCommandAttributes(let attributes):
            return recordMarker(attributes, command.userMetadata, context, in: &draft)
        case .completeWorkflowExecutionCommandAttributes(let attributes):
            return complete(attributes, context, in: &draft)
        case .failWorkflowExecutionCommandAttributes(let attributes):
            return fail(attributes, context, in: &draft)
        case .cancelWorkflowExecutionCommandAttributes(let attributes):
            return cancel(attributes, context, in: &draft)
        case .continueAsNewWorkflowExecutionCommandAttributes(let attributes):
            return continueAsNew(attributes, context, in: &draft)
        case .upsertWorkflowSearchAttributesCommandAttributes(let attributes):
            return upsertSearchAttributes(attributes, &context, in: &draft)
        case .modifyWorkflowPropertiesCommandAttributes(let attributes):
            return upsertMemo(attributes.upsertedMemo, &context, in: &draft)
        case .startChildWorkflowExecutionCommandAttributes(let attributes):
            return startChild(attributes, command.userMetadata, context, in: &draft)
        case .signalExternalWorkflowExecutionCommandAttributes(let attributes):
            return signalExternal(attributes, command.userMetadata, context, in: &draft)
        case .requestCancelExternalWorkflowExecutionCommandAttributes(let attributes):
            return cancelExternal(attributes, command.userMetadata, context, in: &draft)
        case .protocolMessageCommandAttributes(let attributes):
            return receive(messageID: attributes.messageID, &context, in: &draft)
        default:
            let name = mixedCase(command.commandType, prefix: "COMMAND_TYPE_")
            return CommandRefusal(.unspecified, "\(name) is not available in this version of the server")
        }
    }

    private func recordMarker(
        _ attributes: RecordMarkerCommandAttributes,
        _ metadata: RawMessage<UserMetadata>?,
        _ context: CommandContext,
        in draft: inout Draft
    ) -> CommandRefusal? {
        guard !attributes.markerName.isEmpty else {
            return CommandRefusal(.badRecordMarkerAttributes, "MarkerName is not set on RecordMarkerCommand.")
        }
        let (name, limits) = (attributes.markerName, context.limits)
        if let wrong = problem(withIdentifier: name, "MarkerName", of: "RecordMarkerCommand", limits) {
            return CommandRefusal(.badRecordMarkerAttributes, wrong)
        }
        if attributes.details.values.reduce(0, { $0 + $1.bytes.count }) > context.limits.payloadBytes {
            return tooLarge("RecordMarkerCommandAttributes.Details", .badRecordMarkerAttributes)
        }
        var event = MarkerRecordedEventAttributes()
        event.markerName = attributes.markerName
        event.details = attributes.details
        event.workflowTaskCompletedEventID = context.completedEventID
        event.header = attributes.header
        event.failure = attributes.failure
        draft.event(.markerRecorded, .markerRecordedEventAttributes(event), userMetadata: metadata)
        return nil
    }

    private func startTimer(
        _ attributes: StartTimerCommandAttributes,
        _ metadata: RawMessage<UserMetadata>?,
        _ context: CommandContext,
        in draft: inout Draft
    ) -> CommandRefusal? {
        let timerID = attributes.timerID
        if timerID.isEmpty {
            return CommandRefusal(.badStartTimerAttributes, "TimerId is not set on StartTimerCommand.")
        }
        if let wrong = problem(withIdentifier: timerID, "TimerId", of: "StartTimerCommand", context.limits) {
            return CommandRefusal(.badStartTimerAttributes, wrong)
        }
        // Zero is valid: such a timer fires at once.
        if let duration = attributes.startToFireTimeout, duration.seconds < 0 || duration.nanos < 0 {
            return CommandRefusal(
                .badStartTimerAttributes,
                "An invalid StartToFireTimeout is set on StartTimerCommand: negative duration. TimerId=\(timerID)."
            )
        }
        if draft.addedTimers[ExactText(timerID)] != nil || pendingTimer(timerID, draft) != nil {
            let what = "TimerID: \(timerID)"
            return CommandRefusal(.startTimerDuplicateID, invalidState("add-timer-started-event", what))
        }
        var event = TimerStartedEventAttributes()
        event.timerID = timerID
        event.startToFireTimeout = attributes.startToFireTimeout
        event.workflowTaskCompletedEventID = context.completedEventID
        let written = draft.event(.timerStarted, .timerStartedEventAttributes(event), userMetadata: metadata)
        draft.addedTimers[ExactText(timerID)] = written.id
        return nil
    }

    private func pendingTimer(_ timerID: String, _ draft: Draft) -> Int64? {
        guard let startedEventID = durable.timerIDs[ExactText(timerID)],
            !draft.removedTimers.contains(startedEventID)
        else { return nil }
        return startedEventID
    }

    private func cancelTimer(
        _ timerID: String,
        _ context: CommandContext,
        in draft: inout Draft
    ) -> CommandRefusal? {
        let startedEventID: Int64
        if let added = draft.addedTimers.removeValue(forKey: ExactText(timerID)) {
            startedEventID = added
        } else if let pending = pendingTimer(timerID, draft) {
            startedEventID = pending
            draft.removedTimers.insert(pending)
        } else if let fired = bufferedFiring(ofTimer: timerID), !draft.droppedFirings.contains(fired) {
            // It fired while the task ran. The firing is withdrawn, since the code that cancelled it has not seen it.
            startedEventID = fired
            draft.droppedFirings.insert(fired)
        } else {
            return CommandRefusal(
                .badCancelTimerAttributes,
                invalidState("add-timer-canceled-event", "TimerID: \(timerID)")
            )
        }
        var event = TimerCanceledEventAttributes()
        event.timerID = timerID
        event.startedEventID = startedEventID
        event.workflowTaskCompletedEventID = context.completedEventID
        event.identity = context.completion.request.identity
        draft.event(.timerCanceled, .timerCanceledEventAttributes(event))
        return nil
    }

    private func bufferedFiring(ofTimer timerID: String) -> Int64? {
        for event in durable.bufferedEvents {
            if case .timerFiredEventAttributes(let attributes) = event.attributes,
                attributes.timerID.hasSameBytes(as: timerID)
            {
                return attributes.startedEventID
            }
        }
        return nil
    }
}

/// The message for a command that refers to nothing pending, in Temporal's words.
func invalidState(_ action: String, _ what: String) -> String {
    "invalid history builder state for action: \(action), \(what)"
}

/// What is wrong with an identifier in a command; nil when it is valid.
///
/// - Parameter command: set for commands whose message also contains the identifier, truncated.
func problem(
    withIdentifier text: String,
    _ field: String,
    of command: String? = nil,
    _ limits: Limits
) -> String? {
    if text.utf8.count > limits.identifierLength {
        let lengths = "Length=\(text.utf8.count) Limit=\(limits.identifierLength)"
        guard let command else { return "\(field) exceeds length limit. \(lengths)" }
        return "\(field) on \(command) exceeds length limit. \(field)=\(prefix(of: text, bytes: 1_500)) \(lengths)"
    }
    return text.holdsNUL ? "\(field) must not contain NUL." : nil
}

/// The refusal of a command over the payload limit, which ends the run.
///
/// - Parameter cause: the default is the one that Temporal uses for most commands, despite its name.
func tooLarge(
    _ field: String,
    _ cause: WorkflowTaskFailedCause = .badScheduleActivityAttributes
) -> CommandRefusal {
    CommandRefusal(cause, "\(field) exceeds size limit.", isTerminal: true)
}
