internal import SagamoreAPI
internal import SagamoreProtobuf

/// A workflow task with its events.
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

    /// The task's run. The attempt is 1 while the first event is missing.
    private(set) var info: WorkflowInfo

    var runID: String { info.runID }

    /// The updates that it carries.
    var updates: [UpdateInput] { response.messages.compactMap { UpdateInput($0) } }

    /// Whether it is a query that expects no commands.
    var isQuery: Bool { response.query != nil }

    /// Whether a cached run can continue with the task's events.
    func continues(_ run: WorkflowRun) -> Bool {
        guard let first = events.first else { return run.lastStartedEventID >= response.previousStartedEventID }
        return first.eventID > 1 && run.lastStartedEventID == response.previousStartedEventID
    }

    /// Whether the task has the whole history.
    var isWhole: Bool { events.first?.eventID == 1 && response.nextPageToken.isEmpty }

    /// The task with its whole history: `history` from the server, and events that only the task has (histories lack
    /// the start of a repeated attempt).
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
        var info = WorkflowInfo(
            namespace: namespace,
            workflowID: response.workflowExecution?.workflowID ?? "",
            runID: response.workflowExecution?.runID ?? "",
            type: response.workflowType?.name ?? "",
            taskQueue: taskQueue,
            attempt: 1
        )
        guard case .workflowExecutionStartedEventAttributes(let started) = events.first?.attributes else { return info }
        info.read(started)
        return info
    }
}

extension WorkflowInfo {
    /// Takes over what the run's first event says.
    mutating func read(_ started: WorkflowExecutionStartedEventAttributes) {
        attempt = max(1, Int(started.attempt))
        if !started.continuedExecutionRunID.isEmpty { continuedRunID = started.continuedExecutionRunID }
        guard let execution = started.parentWorkflowExecution else { return }
        parent = Parent(
            namespace: started.parentWorkflowNamespace,
            workflowID: execution.workflowID,
            runID: execution.runID
        )
    }
}
