import SagamoreAPI
import SagamoreEngine
import SagamoreProtobuf
import SagamoreServices
import Testing

/// A run in the engine's own state, so that tests hand out tasks as they really are.
struct SampleRun {
    static let key = WorkflowKey(namespace: 1, workflowID: "booking")
    static let runID = RunID(high: 0x0123_4567_89AB_7DEF, low: 0x8123_4567_89AB_CDEF)

    private(set) var execution = Execution(key: key, runID: runID)
    private(set) var events: [RecordedEvent] = []

    init() throws {
        var request = StartWorkflowExecutionRequest()
        request.workflowID = Self.key.workflowID
        request.workflowType = WorkflowType()
        request.workflowType?.name = "TravelBooking"
        request.taskQueue = TaskQueue()
        request.taskQueue?.name = "travel"
        apply(execution.decide(try StartRequest(request, limits: Limits()), at: now))
    }

    private mutating func apply(_ decision: Decision) {
        for entry in decision.entries {
            if case .event(let recorded) = entry { events.append(recorded) }
            execution.apply(entry)
        }
    }

    /// The next workflow task, as a worker gets it.
    mutating func workflowTask(isSticky: Bool = false, queries: ProtobufMap<WorkflowQuery> = [:]) throws
        -> AssignedWorkflowTask
    {
        let task = try #require(execution.durable.workflowTask)
        let stamp = WorkflowTaskStamp(scheduledEventID: task.scheduledEventID, attempt: task.attempt)
        let start = WorkflowTaskStartRequest(
            stamp: stamp,
            isSticky: isSticky,
            identity: "worker",
            requestID: "poll",
            nonce: 7,
            epoch: 3
        )
        let decision = try execution.decide(start, at: now + .seconds(1))
        guard case .workflowTask(let delivery) = decision.reply else { throw Unexpected() }
        apply(decision)
        return AssignedWorkflowTask(
            key: Self.key,
            runID: Self.runID,
            delivery: delivery,
            token: TaskToken.workflow(token(of: delivery)).bytes,
            history: (events + delivery.unwrittenEvents).flatMap(\.frame),
            nextPageToken: [],
            queries: queries
        )
    }

    func token(of delivery: WorkflowTaskDelivery) -> WorkflowTaskToken {
        WorkflowTaskToken(
            key: Self.key,
            runID: Self.runID,
            startedEventID: delivery.task.startedEventID,
            attempt: delivery.task.attempt,
            nonce: delivery.task.nonce,
            epoch: delivery.task.epoch
        )
    }

    /// Schedules an activity by completing a workflow task, and starts its first attempt.
    mutating func activityTask() throws -> AssignedActivityTask {
        let task = try workflowTask()
        var attributes = ScheduleActivityTaskCommandAttributes()
        attributes.activityID = "7"
        attributes.activityType = ActivityType()
        attributes.activityType?.name = "book_car"
        attributes.taskQueue = TaskQueue()
        attributes.taskQueue?.name = "cars"
        attributes.input = payloads("a car")
        attributes.startToCloseTimeout = Interval.seconds(5).duration
        var command = Command()
        command.commandType = .scheduleActivityTask
        command.attributes = .scheduleActivityTaskCommandAttributes(attributes)
        var request = RespondWorkflowTaskCompletedRequest()
        request.commands = [command]
        let completion = WorkflowTaskCompletedRequest(token: token(of: task.delivery), request: request)
        apply(try execution.decide(completion, nextNonce: 9, at: now + .seconds(2)))
        let id = try #require(execution.durable.activities.keys.first)
        let decision = try execution.decide(
            startActivity: id,
            attempt: 1,
            identity: "worker",
            requestID: "poll",
            nonce: 9,
            at: now + .seconds(3)
        )
        guard case .activityTask(let delivery) = decision.reply else { throw Unexpected() }
        apply(decision)
        return AssignedActivityTask(key: Self.key, runID: Self.runID, delivery: delivery)
    }

    struct Unexpected: Error {}
}

/// A payload that holds a text.
func payloads(_ text: String) -> RawMessage<Payloads> {
    var payload = Payload()
    payload.data = Array(text.utf8)
    var payloads = Payloads()
    payloads.payloads = [payload]
    return RawMessage(payloads)
}
