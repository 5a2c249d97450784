package import SagamoreAPI
package import SagamoreEngine
package import SagamoreProtobuf

/// The commands of workflow code.
extension Samples {
    package static func schedule(
        _ activityID: String,
        _ adjust: (inout ScheduleActivityTaskCommandAttributes) -> Void = { _ in }
    ) -> Command {
        var attributes = ScheduleActivityTaskCommandAttributes()
        attributes.activityID = activityID
        attributes.activityType = ActivityType()
        attributes.activityType?.name = "book_car"
        attributes.taskQueue = queue("travel")
        attributes.input = payloads("car")
        attributes.startToCloseTimeout = Interval.seconds(5).duration
        adjust(&attributes)
        return command(.scheduleActivityTask, .scheduleActivityTaskCommandAttributes(attributes))
    }

    package static func cancelActivity(_ scheduledEventID: Int64) -> Command {
        var attributes = RequestCancelActivityTaskCommandAttributes()
        attributes.scheduledEventID = scheduledEventID
        return command(.requestCancelActivityTask, .requestCancelActivityTaskCommandAttributes(attributes))
    }

    package static func startTimer(_ timerID: String, _ interval: Interval) -> Command {
        var attributes = StartTimerCommandAttributes()
        attributes.timerID = timerID
        attributes.startToFireTimeout = interval.duration
        return command(.startTimer, .startTimerCommandAttributes(attributes))
    }

    package static func cancelTimer(_ timerID: String) -> Command {
        var attributes = CancelTimerCommandAttributes()
        attributes.timerID = timerID
        return command(.cancelTimer, .cancelTimerCommandAttributes(attributes))
    }

    package static func marker(_ name: String, details: [String: String] = ["data": "1"]) -> Command {
        var attributes = RecordMarkerCommandAttributes()
        attributes.markerName = name
        attributes.details = ProtobufMap(details).mapValues { payloads($0) }
        return command(.recordMarker, .recordMarkerCommandAttributes(attributes))
    }

    package static func complete(_ result: String? = "done") -> Command {
        var attributes = CompleteWorkflowExecutionCommandAttributes()
        attributes.result = result.map(payloads)
        return command(.completeWorkflowExecution, .completeWorkflowExecutionCommandAttributes(attributes))
    }

    package static func fail(_ failure: RawMessage<Failure>?) -> Command {
        var attributes = FailWorkflowExecutionCommandAttributes()
        attributes.failure = failure
        return command(.failWorkflowExecution, .failWorkflowExecutionCommandAttributes(attributes))
    }

    package static func cancelWorkflow(_ details: String? = nil) -> Command {
        var attributes = CancelWorkflowExecutionCommandAttributes()
        attributes.details = details.map(payloads)
        return command(.cancelWorkflowExecution, .cancelWorkflowExecutionCommandAttributes(attributes))
    }

    package static func continueAsNew(
        _ adjust: (inout ContinueAsNewWorkflowExecutionCommandAttributes) -> Void = { _ in }
    ) -> Command {
        var attributes = ContinueAsNewWorkflowExecutionCommandAttributes()
        attributes.input = payloads("next")
        adjust(&attributes)
        return command(
            .continueAsNewWorkflowExecution,
            .continueAsNewWorkflowExecutionCommandAttributes(attributes)
        )
    }

    package static func upsertSearchAttributes(_ fields: [String: String]) -> Command {
        var attributes = UpsertWorkflowSearchAttributesCommandAttributes()
        attributes.searchAttributes = searchAttributes(fields)
        return command(.upsertWorkflowSearchAttributes, .upsertWorkflowSearchAttributesCommandAttributes(attributes))
    }

    package static func modifyMemo(_ fields: [String: String?]) -> Command {
        var attributes = ModifyWorkflowPropertiesCommandAttributes()
        attributes.upsertedMemo = memo(fields)
        return command(.modifyWorkflowProperties, .modifyWorkflowPropertiesCommandAttributes(attributes))
    }

    /// A command that this version of the server does not carry out.
    package static func scheduleNexusOperation() -> Command {
        command(.scheduleNexusOperation, .scheduleNexusOperationCommandAttributes(.init()))
    }

    private static func command(_ type: CommandType, _ attributes: Command.OneOf_Attributes) -> Command {
        var command = Command()
        command.commandType = type
        command.attributes = attributes
        return command
    }
}
