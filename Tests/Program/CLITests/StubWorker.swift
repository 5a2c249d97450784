import SagamoreAPI
import SagamoreGRPC
import SagamoreProgramTestSupport
import SagamoreProtobuf

/// A worker made of plain calls: a test decides how each task is answered.
struct StubWorker {
    /// No task came.
    struct NoTask: Error {}

    private let channel: GRPCChannel
    private let queue: String

    init(_ dev: DevProgram, queue: String) throws {
        channel = GRPCChannel(GRPCChannelConfiguration(target: try dev.address()))
        self.queue = queue
    }

    /// Waits for a workflow task, or for a query of a workflow.
    func task() async throws -> PollWorkflowTaskQueueResponse {
        var request = PollWorkflowTaskQueueRequest()
        request.namespace = "default"
        request.taskQueue = Self.taskQueue(queue)
        request.identity = "stub"
        for _ in 0..<4 {
            let task: PollWorkflowTaskQueueResponse = try await call(.pollWorkflowTaskQueue, request)
            if !task.taskToken.isEmpty { return task }
        }
        throw NoTask()
    }

    /// Waits for a task of an activity.
    func activityTask() async throws -> PollActivityTaskQueueResponse {
        var request = PollActivityTaskQueueRequest()
        request.namespace = "default"
        request.taskQueue = Self.taskQueue(queue)
        request.identity = "stub"
        for _ in 0..<4 {
            let task: PollActivityTaskQueueResponse = try await call(.pollActivityTaskQueue, request)
            if !task.taskToken.isEmpty { return task }
        }
        throw NoTask()
    }

    /// Completes a workflow task.
    func complete(_ task: PollWorkflowTaskQueueResponse, _ commands: [Command] = []) async throws {
        var request = RespondWorkflowTaskCompletedRequest()
        request.namespace = "default"
        request.taskToken = task.taskToken
        request.identity = "stub"
        request.commands = commands
        let _: RespondWorkflowTaskCompletedResponse = try await call(.respondWorkflowTaskCompleted, request)
    }

    /// Answers a query.
    func answer(_ task: PollWorkflowTaskQueueResponse, json: String) async throws {
        var request = RespondQueryTaskCompletedRequest()
        request.namespace = "default"
        request.taskToken = task.taskToken
        request.completedType = .answered
        request.queryResult = Self.payloads(json)
        let _: RespondQueryTaskCompletedResponse = try await call(.respondQueryTaskCompleted, request)
    }

    func call<Request: ProtobufMessage, Response: ProtobufMessage>(
        _ method: WorkflowServiceMethod,
        _ request: Request
    ) async throws -> Response {
        let bytes = try await channel.call(method.rawValue, request.serializedBytes(), deadline: .seconds(30))
        return try Response(serializedBytes: bytes)
    }

    // MARK: Commands

    static func completion(json: String) -> Command {
        var attributes = CompleteWorkflowExecutionCommandAttributes()
        attributes.result = payloads(json)
        var command = Command()
        command.commandType = .completeWorkflowExecution
        command.attributes = .completeWorkflowExecutionCommandAttributes(attributes)
        return command
    }

    static func failure(type: String, message: String) -> Command {
        var info = ApplicationFailureInfo()
        info.type = type
        var failure = Failure()
        failure.message = message
        failure.failureInfo = .applicationFailureInfo(info)
        var attributes = FailWorkflowExecutionCommandAttributes()
        attributes.failure = RawMessage(failure)
        var command = Command()
        command.commandType = .failWorkflowExecution
        command.attributes = .failWorkflowExecutionCommandAttributes(attributes)
        return command
    }

    /// - Parameter step: the step of a saga that the activity undoes.
    static func activity(id: String, type: String, queue: String, undoing step: String? = nil) -> Command {
        var activityType = ActivityType()
        activityType.name = type
        var attributes = ScheduleActivityTaskCommandAttributes()
        attributes.activityID = id
        attributes.activityType = activityType
        attributes.taskQueue = taskQueue(queue)
        attributes.startToCloseTimeout = ProtobufDuration(seconds: 60, nanos: 0)
        if let step {
            var payload = Payload()
            payload.metadata = ["encoding": Array("json/plain".utf8)]
            payload.data = Array("\"\(step)\"".utf8)
            var header = Header()
            header.fields["saga-undo"] = payload
            attributes.header = RawMessage(header)
        }
        var command = Command()
        command.commandType = .scheduleActivityTask
        command.attributes = .scheduleActivityTaskCommandAttributes(attributes)
        return command
    }

    static func child(id: String, type: String, queue: String) -> Command {
        var workflowType = WorkflowType()
        workflowType.name = type
        var attributes = StartChildWorkflowExecutionCommandAttributes()
        attributes.workflowID = id
        attributes.workflowType = workflowType
        attributes.taskQueue = taskQueue(queue)
        var command = Command()
        command.commandType = .startChildWorkflowExecution
        command.attributes = .startChildWorkflowExecutionCommandAttributes(attributes)
        return command
    }

    private static func taskQueue(_ name: String) -> TaskQueue {
        var queue = TaskQueue()
        queue.name = name
        queue.kind = .normal
        return queue
    }

    static func payloads(_ json: String) -> RawMessage<Payloads> {
        var payload = Payload()
        payload.metadata = ["encoding": Array("json/plain".utf8)]
        payload.data = Array(json.utf8)
        var payloads = Payloads()
        payloads.payloads = [payload]
        return RawMessage(payloads)
    }
}
