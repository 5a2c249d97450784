internal import SagamoreAPI
internal import SagamoreJSONText
internal import SagamoreProtobuf

/// Builds commands for the wire.
enum CommandMaker {
    static func scheduleActivity(
        _ sequence: Int,
        _ name: String,
        _ options: ActivityOptions,
        _ input: RawMessage<Payloads>?,
        taskQueue: String,
        undoing step: String? = nil
    ) -> Command {
        var attributes = ScheduleActivityTaskCommandAttributes()
        attributes.header = step.map(undoHeader)
        attributes.activityID = String(sequence)
        attributes.activityType = SagamoreAPI.ActivityType(name: name)
        attributes.taskQueue = TaskQueue(name: options.taskQueue ?? taskQueue)
        attributes.input = input
        attributes.startToCloseTimeout = options.startToCloseTimeout.map { ProtobufDuration($0) }
        attributes.scheduleToCloseTimeout = options.scheduleToCloseTimeout.map { ProtobufDuration($0) }
        attributes.scheduleToStartTimeout = options.scheduleToStartTimeout.map { ProtobufDuration($0) }
        attributes.heartbeatTimeout = options.heartbeatTimeout.map { ProtobufDuration($0) }
        attributes.retryPolicy = options.retryPolicy?.message
        return command(.scheduleActivityTask, .scheduleActivityTaskCommandAttributes(attributes))
    }

    static func cancelActivity(_ scheduledEventID: Int64) -> Command {
        var attributes = RequestCancelActivityTaskCommandAttributes()
        attributes.scheduledEventID = scheduledEventID
        return command(.requestCancelActivityTask, .requestCancelActivityTaskCommandAttributes(attributes))
    }

    static func startTimer(_ sequence: Int, _ duration: Duration) -> Command {
        var attributes = StartTimerCommandAttributes()
        attributes.timerID = String(sequence)
        attributes.startToFireTimeout = ProtobufDuration(duration)
        return command(.startTimer, .startTimerCommandAttributes(attributes))
    }

    static func cancelTimer(_ sequence: Int) -> Command {
        var attributes = CancelTimerCommandAttributes()
        attributes.timerID = String(sequence)
        return command(.cancelTimer, .cancelTimerCommandAttributes(attributes))
    }

    static func startChild(
        _ child: ChildWait,
        _ options: ChildWorkflowOptions,
        _ input: RawMessage<Payloads>?,
        taskQueue: String,
        undoing step: String? = nil
    ) -> Command {
        var attributes = StartChildWorkflowExecutionCommandAttributes()
        attributes.header = step.map(undoHeader)
        attributes.namespace = child.namespace
        attributes.workflowID = child.id
        attributes.workflowType = SagamoreAPI.WorkflowType(name: child.name)
        attributes.taskQueue = TaskQueue(name: options.taskQueue ?? taskQueue)
        attributes.input = input
        attributes.workflowExecutionTimeout = options.executionTimeout.map { ProtobufDuration($0) }
        attributes.workflowRunTimeout = options.runTimeout.map { ProtobufDuration($0) }
        attributes.workflowTaskTimeout = options.taskTimeout.map { ProtobufDuration($0) }
        attributes.parentClosePolicy = options.parentClosePolicy.message
        attributes.workflowIDReusePolicy = options.reusePolicy.message
        attributes.retryPolicy = options.retryPolicy?.message
        attributes.cronSchedule = options.cronSchedule
        return command(.startChildWorkflowExecution, .startChildWorkflowExecutionCommandAttributes(attributes))
    }

    static func signalWorkflow(_ target: ExternalTarget, _ name: String, _ input: RawMessage<Payloads>?) -> Command {
        var attributes = SignalExternalWorkflowExecutionCommandAttributes()
        attributes.namespace = target.namespace
        attributes.execution = target.execution
        attributes.signalName = name
        attributes.input = input
        attributes.childWorkflowOnly = target.isChild
        return command(.signalExternalWorkflowExecution, .signalExternalWorkflowExecutionCommandAttributes(attributes))
    }

    static func cancelWorkflow(_ target: ExternalTarget, reason: String) -> Command {
        var attributes = RequestCancelExternalWorkflowExecutionCommandAttributes()
        attributes.namespace = target.namespace
        attributes.workflowID = target.workflowID
        attributes.runID = target.runID
        attributes.childWorkflowOnly = target.isChild
        attributes.reason = reason
        return command(
            .requestCancelExternalWorkflowExecution,
            .requestCancelExternalWorkflowExecutionCommandAttributes(attributes)
        )
    }

    static func protocolMessage(_ id: String) -> Command {
        var attributes = ProtocolMessageCommandAttributes()
        attributes.messageID = id
        return command(.protocolMessage, .protocolMessageCommandAttributes(attributes))
    }

    /// - Parameter retryPolicy: the one that the current run was started with.
    static func continueAsNew(_ next: ContinueAsNew, retryPolicy: SagamoreAPI.RetryPolicy?) -> Command {
        var attributes = ContinueAsNewWorkflowExecutionCommandAttributes()
        attributes.workflowType = SagamoreAPI.WorkflowType(name: next.type)
        attributes.taskQueue = TaskQueue(name: next.taskQueue)
        attributes.input = next.input
        attributes.workflowRunTimeout = next.runTimeout.map { ProtobufDuration($0) }
        attributes.workflowTaskTimeout = next.taskTimeout.map { ProtobufDuration($0) }
        attributes.retryPolicy = retryPolicy
        return command(.continueAsNewWorkflowExecution, .continueAsNewWorkflowExecutionCommandAttributes(attributes))
    }

    static func complete(_ result: RawMessage<Payloads>) -> Command {
        var attributes = CompleteWorkflowExecutionCommandAttributes()
        attributes.result = result
        return command(.completeWorkflowExecution, .completeWorkflowExecutionCommandAttributes(attributes))
    }

    static func fail(_ error: any Error) -> Command {
        var attributes = FailWorkflowExecutionCommandAttributes()
        attributes.failure = RawMessage(FailureCoding.failure(error))
        return command(.failWorkflowExecution, .failWorkflowExecutionCommandAttributes(attributes))
    }

    static func cancel(_ details: RawMessage<Payloads>?) -> Command {
        var attributes = CancelWorkflowExecutionCommandAttributes()
        attributes.details = details
        return command(.cancelWorkflowExecution, .cancelWorkflowExecutionCommandAttributes(attributes))
    }

    /// Tells the server that a saga compensates: what is started undoes this step.
    private static func undoHeader(_ step: String) -> RawMessage<Header> {
        var payload = Payload()
        payload.metadata["encoding"] = Array("json/plain".utf8)
        payload.data = JSONValue.string(step).serialize()
        var header = Header()
        header.fields["saga-undo"] = payload
        return RawMessage(header)
    }

    private static func command(_ type: CommandType, _ attributes: Command.OneOf_Attributes) -> Command {
        var command = Command()
        command.commandType = type
        command.attributes = attributes
        return command
    }
}

extension ChildWorkflowOptions.ParentClosePolicy {
    fileprivate var message: ParentClosePolicy {
        switch self {
        case .terminate: .terminate
        case .requestCancel: .requestCancel
        case .abandon: .abandon
        }
    }
}
