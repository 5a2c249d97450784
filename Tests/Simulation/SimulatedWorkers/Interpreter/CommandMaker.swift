internal import SagamoreAPI
internal import SagamoreEngine
internal import SagamoreProtobuf

/// Makes the messages of commands.
struct CommandMaker {
    let script: [ActivityStep]
    let taskQueue: String
    /// What the run's code says at its end.
    let result: [UInt8]
    /// What follows where the code continues as new.
    let next: WorkflowScript

    func message(_ command: ScriptCommand) -> Command {
        var message = Command()
        switch command {
        case .schedule(let sequence, let input, let isEager):
            message.commandType = .scheduleActivityTask
            message.attributes = .scheduleActivityTaskCommandAttributes(schedule(sequence, input, isEager))
        case .cancelActivity(let scheduledEventID):
            var attributes = RequestCancelActivityTaskCommandAttributes()
            attributes.scheduledEventID = scheduledEventID
            message.commandType = .requestCancelActivityTask
            message.attributes = .requestCancelActivityTaskCommandAttributes(attributes)
        case .startTimer(let sequence, let interval):
            var attributes = StartTimerCommandAttributes()
            attributes.timerID = Decimal.text(sequence)
            attributes.startToFireTimeout = interval.duration
            message.commandType = .startTimer
            message.attributes = .startTimerCommandAttributes(attributes)
        case .cancelTimer(let sequence):
            var attributes = CancelTimerCommandAttributes()
            attributes.timerID = Decimal.text(sequence)
            message.commandType = .cancelTimer
            message.attributes = .cancelTimerCommandAttributes(attributes)
        case .marker(let value):
            var attributes = RecordMarkerCommandAttributes()
            attributes.markerName = "side-effect"
            attributes.details[ScriptCommand.detailName] = RawMessage(data: ScriptCommand.number(value))
            message.commandType = .recordMarker
            message.attributes = .recordMarkerCommandAttributes(attributes)
        case .memo(let value):
            var attributes = ModifyWorkflowPropertiesCommandAttributes()
            attributes.upsertedMemo = ScriptCommand.memo(value)
            message.commandType = .modifyWorkflowProperties
            message.attributes = .modifyWorkflowPropertiesCommandAttributes(attributes)
        case .startChild(_, let number, let script):
            message.commandType = .startChildWorkflowExecution
            message.attributes = .startChildWorkflowExecutionCommandAttributes(startChild(number, script))
        case .cancelChild(let number):
            var attributes = RequestCancelExternalWorkflowExecutionCommandAttributes()
            attributes.workflowID = WorkflowScript.childID(number)
            attributes.childWorkflowOnly = true
            message.commandType = .requestCancelExternalWorkflowExecution
            message.attributes = .requestCancelExternalWorkflowExecutionCommandAttributes(attributes)
        case .tell(_, let number, let signal):
            var attributes = SignalExternalWorkflowExecutionCommandAttributes()
            attributes.execution = WorkflowExecution()
            attributes.execution?.workflowID = WorkflowScript.childID(number)
            attributes.childWorkflowOnly = true
            attributes.signalName = WorkflowScript.signalName(signal)
            message.commandType = .signalExternalWorkflowExecution
            message.attributes = .signalExternalWorkflowExecutionCommandAttributes(attributes)
        case .close(let end): close(end, &message)
        }
        return message
    }

    private func startChild(
        _ number: Int,
        _ script: WorkflowScript
    ) -> StartChildWorkflowExecutionCommandAttributes {
        var attributes = StartChildWorkflowExecutionCommandAttributes()
        attributes.workflowID = WorkflowScript.childID(number)
        attributes.workflowType = WorkflowType()
        attributes.workflowType?.name = WorkflowScript.workflowType
        attributes.input = script.input
        attributes.parentClosePolicy = [.terminate, .requestCancel, .abandon][number % 3]
        return attributes
    }

    private func schedule(
        _ sequence: Int,
        _ input: ActivityInput,
        _ isEager: Bool
    ) -> ScheduleActivityTaskCommandAttributes {
        let step = input.isUndo ? script[input.ordinal].undoing : script[input.ordinal]
        var attributes = ScheduleActivityTaskCommandAttributes()
        attributes.activityID = Decimal.text(sequence)
        var type = ActivityType()
        type.name = input.isUndo ? "undo" : "do"
        attributes.activityType = type
        var queue = TaskQueue()
        queue.name = taskQueue
        queue.kind = .normal
        attributes.taskQueue = queue
        attributes.input = RawMessage(data: input.bytes)
        attributes.requestEagerExecution = isEager
        attributes.startToCloseTimeout = step.startToClose.duration
        if step.scheduleToClose.isSet { attributes.scheduleToCloseTimeout = step.scheduleToClose.duration }
        if step.scheduleToStart.isSet { attributes.scheduleToStartTimeout = step.scheduleToStart.duration }
        if step.heartbeatTimeout.isSet { attributes.heartbeatTimeout = step.heartbeatTimeout.duration }
        var policy = RetryPolicy()
        policy.initialInterval = step.retryInterval.duration
        policy.maximumAttempts = Int32(step.maximumAttempts)
        attributes.retryPolicy = policy
        return attributes
    }

    private func close(_ end: RunEnd, _ message: inout Command) {
        switch end {
        case .completed:
            var attributes = CompleteWorkflowExecutionCommandAttributes()
            attributes.result = RawMessage(data: result)
            message.commandType = .completeWorkflowExecution
            message.attributes = .completeWorkflowExecutionCommandAttributes(attributes)
        case .canceled:
            var attributes = CancelWorkflowExecutionCommandAttributes()
            attributes.details = RawMessage(data: result)
            message.commandType = .cancelWorkflowExecution
            message.attributes = .cancelWorkflowExecutionCommandAttributes(attributes)
        case .continuedAsNew:
            var attributes = ContinueAsNewWorkflowExecutionCommandAttributes()
            attributes.workflowType = WorkflowType()
            attributes.workflowType?.name = WorkflowScript.workflowType
            attributes.input = next.input
            message.commandType = .continueAsNewWorkflowExecution
            message.attributes = .continueAsNewWorkflowExecutionCommandAttributes(attributes)
        default:
            var attributes = FailWorkflowExecutionCommandAttributes()
            attributes.failure = ScriptFailure.compensated
            message.commandType = .failWorkflowExecution
            message.attributes = .failWorkflowExecutionCommandAttributes(attributes)
        }
    }
}

/// The failures of scripts and their activities, encoded once.
enum ScriptFailure {
    /// Everything was undone.
    static let compensated = failure("SagaCompensated", isFinal: true)
    /// An attempt that is to be retried.
    static let retried = failure("Retried", isFinal: false)
    /// An attempt that is not to be retried.
    static let final = failure("Final", isFinal: true)

    private static func failure(_ type: String, isFinal: Bool) -> RawMessage<Failure> {
        var info = ApplicationFailureInfo()
        info.type = type
        info.nonRetryable = isFinal
        var failure = Failure()
        failure.message = type
        failure.failureInfo = .applicationFailureInfo(info)
        return RawMessage(failure)
    }
}
