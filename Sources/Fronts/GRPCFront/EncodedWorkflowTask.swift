internal import SagamoreAPI
internal import SagamoreEngine
internal import SagamoreProtobuf
internal import SagamoreServices

/// An encoded `PollWorkflowTaskQueueResponse` in two parts: everything up to the tag and length of the history field,
/// and the history as it was read. The history may be megabytes, and is neither decoded nor copied.
///
/// The history field is written exactly once: some decoders replace a repeated field, and workers take a task without
/// the field for broken.
struct EncodedWorkflowTask {
    let parts: [[UInt8]]

    /// The length of the whole message in bytes.
    var count: Int { parts.reduce(0) { $0 + $1.count } }

    /// A workflow task.
    init(_ task: AssignedWorkflowTask) {
        let (delivery, started) = (task.delivery, task.delivery.task)
        var response = Self.response(task.key, task.runID, type: delivery.workflowType, queue: started.normalQueue)
        response.taskToken = task.token
        response.previousStartedEventID = delivery.previousStartedEventID
        response.startedEventID = started.startedEventID
        response.attempt = started.attempt
        response.nextPageToken = task.nextPageToken
        response.scheduledTime = started.scheduledAt.timestamp
        response.startedTime = started.startedAt.timestamp
        response.queries = task.queries
        response.messages = delivery.messages
        response.pollerScalingDecision = PollerScalingDecision(task.pollerDelta)
        parts = Self.parts(response, task.history)
    }

    /// A query as a task of its own.
    init(_ query: AssignedQuery, normalQueue: String) {
        var response = Self.response(query.key, query.runID, type: query.workflowType, queue: normalQueue)
        response.taskToken = query.token
        response.previousStartedEventID = query.previousStartedEventID
        response.attempt = 1
        response.nextPageToken = query.nextPageToken
        response.query = query.query
        parts = Self.parts(response, query.history)
    }

    private static func response(
        _ key: WorkflowKey,
        _ runID: RunID,
        type: String,
        queue: String
    ) -> PollWorkflowTaskQueueResponse {
        var response = PollWorkflowTaskQueueResponse()
        response.workflowExecution = WorkflowExecution(key, runID)
        response.workflowType = WorkflowType()
        response.workflowType?.name = type
        var taskQueue = TaskQueue()
        taskQueue.name = queue
        taskQueue.kind = .normal
        response.workflowExecutionTaskQueue = taskQueue
        return response
    }

    private static func parts(_ response: PollWorkflowTaskQueueResponse, _ history: [UInt8]) -> [[UInt8]] {
        var head = response.serializedBytes()
        head.appendLengthDelimited(field: 8, length: history.count)
        return [head, history]
    }
}

extension WorkflowExecution {
    init(_ key: WorkflowKey, _ runID: RunID) {
        self.init()
        self.workflowID = key.workflowID
        self.runID = runID.description
    }
}

extension PollerScalingDecision {
    /// Nil for no change.
    init?(_ delta: Int32) {
        guard delta != 0 else { return nil }
        self.init()
        pollRequestDeltaSuggestion = delta
    }
}
