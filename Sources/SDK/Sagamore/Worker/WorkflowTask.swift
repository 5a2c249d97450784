internal import SagamoreAPI
internal import SagamoreProtobuf

/// A workflow task as it came, with the events that it brought.
struct WorkflowTask: Sendable {
    let response: PollWorkflowTaskQueueResponse
    var events: [HistoryEvent]

    init(_ response: PollWorkflowTaskQueueResponse, taskQueue: String, namespace: String) {
        var response = response
        events = response.history?.events ?? []
        response.history = nil
        self.response = response
        info = Self.info(response, taskQueue: taskQueue, namespace: namespace, events)
    }

    /// Which run it is of. The attempt is 1 as long as the first event is not there.
    private(set) var info: WorkflowInfo

    var runID: String { info.runID }

    /// Whether it only asks, and wants no commands.
    var isQuery: Bool { response.query != nil }

    /// Whether a run in memory can go on with what the task brought.
    func continues(_ run: WorkflowRun) -> Bool {
        guard let first = events.first else { return run.lastStartedEventID >= response.previousStartedEventID }
        return first.eventID > 1 && run.lastStartedEventID == response.previousStartedEventID
    }

    /// Whether the events are all there from the first.
    var isWhole: Bool { events.first?.eventID == 1 && response.nextPageToken.isEmpty }

    /// The same task with its whole history: `history` as the server gave it, and what only the task had (the start of
    /// a repeated attempt is in no history).
    func completed(by history: [HistoryEvent]) -> WorkflowTask {
        var task = self
        let last = response.startedEventID > 0 ? response.startedEventID : .max
        task.events = history.filter { $0.eventID <= last }
        let known = task.events.last?.eventID ?? 0
        task.events += events.filter { $0.eventID > known }
        task.info = Self.info(response, taskQueue: info.taskQueue, namespace: info.namespace, task.events)
        return task
    }

    private static func info(
        _ response: PollWorkflowTaskQueueResponse,
        taskQueue: String,
        namespace: String,
        _ events: [HistoryEvent]
    ) -> WorkflowInfo {
        WorkflowInfo(
            namespace: namespace,
            workflowID: response.workflowExecution?.workflowID ?? "",
            runID: response.workflowExecution?.runID ?? "",
            type: response.workflowType?.name ?? "",
            taskQueue: taskQueue,
            attempt: attempt(events)
        )
    }

    private static func attempt(_ events: [HistoryEvent]) -> Int {
        guard case .workflowExecutionStartedEventAttributes(let started) = events.first?.attributes else { return 1 }
        return max(1, Int(started.attempt))
    }
}
