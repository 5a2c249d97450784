internal import SagamoreAPI
internal import SagamoreProtobuf

/// Builds commands for the wire.
enum CommandMaker {
    static func scheduleActivity(
        _ sequence: Int,
        _ name: String,
        _ options: ActivityOptions,
        _ input: RawMessage<Payloads>?,
        taskQueue: String
    ) -> Command {
        var attributes = ScheduleActivityTaskCommandAttributes()
        attributes.activityID = String(sequence)
        attributes.activityType = SagamoreAPI.ActivityType(name: name)
        attributes.taskQueue = TaskQueue(name: options.taskQueue ?? taskQueue)
        attributes.input = input
        attributes.startToCloseTimeout = options.startToClose.map { ProtobufDuration($0) }
        attributes.scheduleToCloseTimeout = options.scheduleToClose.map { ProtobufDuration($0) }
        attributes.scheduleToStartTimeout = options.scheduleToStart.map { ProtobufDuration($0) }
        attributes.heartbeatTimeout = options.heartbeat.map { ProtobufDuration($0) }
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

    private static func command(_ type: CommandType, _ attributes: Command.OneOf_Attributes) -> Command {
        var command = Command()
        command.commandType = type
        command.attributes = attributes
        return command
    }
}
