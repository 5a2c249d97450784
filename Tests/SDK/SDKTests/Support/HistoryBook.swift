import SagamoreAPI
import SagamoreProtobuf

@testable import Sagamore

/// Simulates the server for one run: writes the history that results from commands, and provides the worker's tasks.
final class HistoryBook {
    struct Illegal: Error, CustomStringConvertible {
        let description: String
    }

    private(set) var events: [HistoryEvent] = []
    /// The commands of the last workflow task.
    private(set) var lastCommands: [Command] = []
    /// The messages of the last workflow task.
    private(set) var lastMessages: [ProtocolMessage] = []
    /// Updates for the next workflow task.
    private var updates: [UpdateInput] = []
    private var delivered = 0
    private var scheduled: [String: Int64] = [:]
    private var timers: Set<String> = []
    private let runID: String
    private(set) var run: WorkflowRun
    private let makeCode: () -> any RunCode

    init<Code: Workflow>(_ type: Code.Type, _ input: Code.Input, runID: String = "run-1") throws {
        self.runID = runID
        let handlers = HandlerTable(Code.handlers)
        makeCode = { TypedRunCode<Code>(handlers) }
        run = WorkflowRun(Self.info(runID), makeCode())
        var started = WorkflowExecutionStartedEventAttributes()
        started.input = try PayloadCoding.arguments(input)
        append(.workflowExecutionStarted, .workflowExecutionStartedEventAttributes(started))
    }

    static func info(_ runID: String) -> WorkflowInfo {
        WorkflowInfo(
            namespace: "default",
            workflowID: "workflow-1",
            runID: runID,
            type: "Test",
            taskQueue: "test",
            attempt: 1
        )
    }

    // MARK: Outside events

    func append(_ type: EventType, _ attributes: HistoryEvent.OneOf_Attributes?) {
        var event = HistoryEvent()
        event.eventID = Int64(events.count + 1)
        event.eventType = type
        event.eventTime = ProtobufTimestamp(seconds: 1_000_000 + Int64(events.count), nanos: 0)
        event.attributes = attributes
        events.append(event)
    }

    func signal<Value: Codable>(_ name: String, _ value: Value) throws {
        var signal = WorkflowExecutionSignaledEventAttributes()
        signal.signalName = name
        signal.input = try PayloadCoding.arguments(value)
        append(.workflowExecutionSignaled, .workflowExecutionSignaledEventAttributes(signal))
    }

    func requestCancel() {
        append(
            .workflowExecutionCancelRequested,
            .workflowExecutionCancelRequestedEventAttributes(WorkflowExecutionCancelRequestedEventAttributes())
        )
    }

    /// Ends the newest open activity of that name.
    func complete<Value: Codable>(_ activity: String, _ value: Value) throws {
        var completed = ActivityTaskCompletedEventAttributes()
        completed.scheduledEventID = try take(activity)
        completed.result = try PayloadCoding.list(value)
        append(.activityTaskCompleted, .activityTaskCompletedEventAttributes(completed))
    }

    func fail(_ activity: String, _ error: any Error) throws {
        var failed = ActivityTaskFailedEventAttributes()
        failed.scheduledEventID = try take(activity)
        failed.retryState = .nonRetryableFailure
        failed.failure = RawMessage(FailureCoding.failure(error))
        append(.activityTaskFailed, .activityTaskFailedEventAttributes(failed))
    }

    func cancelled(_ activity: String) throws {
        var cancelled = ActivityTaskCanceledEventAttributes()
        cancelled.scheduledEventID = try take(activity)
        append(.activityTaskCanceled, .activityTaskCanceledEventAttributes(cancelled))
    }

    func fireTimer(_ id: String) {
        timers.remove(id)
        var fired = TimerFiredEventAttributes()
        fired.timerID = id
        append(.timerFired, .timerFiredEventAttributes(fired))
    }

    // MARK: Updates

    /// An update for the next workflow task.
    func update<Value: Codable>(_ name: String, _ value: Value, id: String) throws {
        var request = Request()
        request.meta = Meta()
        request.meta?.updateID = id
        request.input = SagamoreAPI.Input()
        request.input?.name = name
        request.input?.args = try PayloadCoding.arguments(value)
        var message = ProtocolMessage()
        message.id = "\(id)/request"
        message.protocolInstanceID = id
        message.sequencingID = .eventID(Int64(events.count))
        message.body = ProtobufAny(packing: request)
        updates.append(UpdateInput(message)!)
    }

    /// A worker answers a task that holds only updates, and rejects all of them: the server drops the task.
    func rejectedTask() throws {
        let count = events.count
        let before = run.lastStartedEventID
        try task()
        events.removeSubrange(count...)
        delivered = count
        run.resetHistory(to: before)
    }

    func messages<Body: ProtobufMessage>(_ type: Body.Type) throws -> [Body] {
        try lastMessages.compactMap { try $0.body?.unpacked(as: type) }
    }

    // MARK: Other workflows

    /// The ids of what was initiated: by workflow ids for children, by signals' names for signals.
    private(set) var initiated: [String: Int64] = [:]

    func childStarted(_ id: String) throws {
        var started = ChildWorkflowExecutionStartedEventAttributes()
        started.initiatedEventID = try initiatedEvent(id)
        started.workflowExecution = WorkflowExecution(workflowID: id, runID: "run-of-\(id)")
        append(.childWorkflowExecutionStarted, .childWorkflowExecutionStartedEventAttributes(started))
    }

    func childCompleted<Value: Codable>(_ id: String, _ value: Value) throws {
        var completed = ChildWorkflowExecutionCompletedEventAttributes()
        completed.initiatedEventID = try initiatedEvent(id)
        completed.result = try PayloadCoding.list(value)
        append(.childWorkflowExecutionCompleted, .childWorkflowExecutionCompletedEventAttributes(completed))
    }

    func childFailed(_ id: String, _ error: any Error) throws {
        var failed = ChildWorkflowExecutionFailedEventAttributes()
        failed.initiatedEventID = try initiatedEvent(id)
        failed.failure = RawMessage(FailureCoding.failure(error))
        append(.childWorkflowExecutionFailed, .childWorkflowExecutionFailedEventAttributes(failed))
    }

    func childCancelled(_ id: String) throws {
        var cancelled = ChildWorkflowExecutionCanceledEventAttributes()
        cancelled.initiatedEventID = try initiatedEvent(id)
        append(.childWorkflowExecutionCanceled, .childWorkflowExecutionCanceledEventAttributes(cancelled))
    }

    func childRefused(_ id: String) throws {
        var failed = StartChildWorkflowExecutionFailedEventAttributes()
        failed.initiatedEventID = try initiatedEvent(id)
        failed.cause = .workflowAlreadyExists
        append(.startChildWorkflowExecutionFailed, .startChildWorkflowExecutionFailedEventAttributes(failed))
    }

    func signaled(_ name: String) throws {
        var signaled = ExternalWorkflowExecutionSignaledEventAttributes()
        signaled.initiatedEventID = try initiatedEvent(name)
        append(.externalWorkflowExecutionSignaled, .externalWorkflowExecutionSignaledEventAttributes(signaled))
    }

    func signalRefused(_ name: String) throws {
        var failed = SignalExternalWorkflowExecutionFailedEventAttributes()
        failed.initiatedEventID = try initiatedEvent(name)
        failed.cause = .externalWorkflowExecutionNotFound
        append(.signalExternalWorkflowExecutionFailed, .signalExternalWorkflowExecutionFailedEventAttributes(failed))
    }

    func initiatedEvent(_ name: String) throws -> Int64 {
        guard let id = initiated[name] else {
            throw Illegal(description: "'\(name)' was not initiated; initiated are \(initiated.keys.sorted())")
        }
        return id
    }

    func openActivities() -> [String] { scheduled.keys.sorted() }

    private func take(_ activity: String) throws -> Int64 {
        guard let id = scheduled.removeValue(forKey: activity) else {
            throw Illegal(description: "'\(activity)' is not open; open are \(openActivities())")
        }
        return id
    }

    // MARK: Workflow tasks

    /// Delivers the new events to the worker, and writes the results of its response.
    @discardableResult
    func task() throws -> [String] {
        startTask()
        let arrived = updates
        updates = []
        switch run.handle(Array(events[delivered...]), updates: arrived) {
        case .failed(let failure): throw failure.error
        case .commands(let commands):
            lastMessages = run.core.takeMessages()
            try write(commands)
            return commands.map(Self.describe)
        }
    }

    /// A workflow task whose response is lost with the worker.
    func lostTask() {
        startTask()
        _ = run.handle(Array(events[delivered...]))
        append(.workflowTaskTimedOut, .workflowTaskTimedOutEventAttributes(WorkflowTaskTimedOutEventAttributes()))
        forgetRun()
    }

    func startTask() {
        append(.workflowTaskScheduled, .workflowTaskScheduledEventAttributes(WorkflowTaskScheduledEventAttributes()))
        append(.workflowTaskStarted, .workflowTaskStartedEventAttributes(WorkflowTaskStartedEventAttributes()))
    }

    /// The worker loses the run: the next task has the whole history.
    func forgetRun() {
        run.evict()
        run = WorkflowRun(Self.info(runID), makeCode())
        delivered = 0
    }

    /// The worker rebuilds the run from the whole history for a query. The next task has only the events after the last
    /// task, as if the worker had kept the run.
    func rebuildForQuery() throws {
        run.evict()
        run = WorkflowRun(Self.info(runID), makeCode())
        if case .failed(let failure) = run.handle(events) { throw failure.error }
    }

    /// Other code takes the whole history.
    func replay<Code: Workflow>(with type: Code.Type) -> WorkflowRun.Outcome {
        let other = WorkflowRun(Self.info(runID), TypedRunCode<Code>(HandlerTable(Code.handlers)))
        defer { other.evict() }
        return other.handle(events)
    }

    func write(_ commands: [Command]) throws {
        lastCommands = commands
        delivered = events.count
        append(.workflowTaskCompleted, .workflowTaskCompletedEventAttributes(WorkflowTaskCompletedEventAttributes()))
        for command in commands { try write(command) }
    }

    private func write(_ command: Command) throws {
        switch command.attributes {
        case .scheduleActivityTaskCommandAttributes(let schedule):
            var attributes = ActivityTaskScheduledEventAttributes()
            attributes.activityID = schedule.activityID
            attributes.activityType = schedule.activityType
            attributes.input = schedule.input
            append(.activityTaskScheduled, .activityTaskScheduledEventAttributes(attributes))
            scheduled[schedule.activityType?.name ?? ""] = Int64(events.count)
        case .requestCancelActivityTaskCommandAttributes(let cancel):
            guard scheduled.values.contains(cancel.scheduledEventID) else {
                throw Illegal(description: "event \(cancel.scheduledEventID) is no activity that is open")
            }
            var attributes = ActivityTaskCancelRequestedEventAttributes()
            attributes.scheduledEventID = cancel.scheduledEventID
            append(.activityTaskCancelRequested, .activityTaskCancelRequestedEventAttributes(attributes))
        case .startTimerCommandAttributes(let start):
            timers.insert(start.timerID)
            var attributes = TimerStartedEventAttributes()
            attributes.timerID = start.timerID
            append(.timerStarted, .timerStartedEventAttributes(attributes))
        case .cancelTimerCommandAttributes(let cancel):
            guard timers.remove(cancel.timerID) != nil else {
                throw Illegal(description: "'\(cancel.timerID)' is no timer that runs")
            }
            var attributes = TimerCanceledEventAttributes()
            attributes.timerID = cancel.timerID
            append(.timerCanceled, .timerCanceledEventAttributes(attributes))
        case .completeWorkflowExecutionCommandAttributes(let complete):
            var attributes = WorkflowExecutionCompletedEventAttributes()
            attributes.result = complete.result
            append(.workflowExecutionCompleted, .workflowExecutionCompletedEventAttributes(attributes))
        case .failWorkflowExecutionCommandAttributes(let fail):
            var attributes = WorkflowExecutionFailedEventAttributes()
            attributes.failure = fail.failure
            append(.workflowExecutionFailed, .workflowExecutionFailedEventAttributes(attributes))
        case .cancelWorkflowExecutionCommandAttributes(let cancel):
            var attributes = WorkflowExecutionCanceledEventAttributes()
            attributes.details = cancel.details
            append(.workflowExecutionCanceled, .workflowExecutionCanceledEventAttributes(attributes))
        case .continueAsNewWorkflowExecutionCommandAttributes(let next):
            var attributes = WorkflowExecutionContinuedAsNewEventAttributes()
            attributes.input = next.input
            append(.workflowExecutionContinuedAsNew, .workflowExecutionContinuedAsNewEventAttributes(attributes))
        case .protocolMessageCommandAttributes(let reference):
            guard let message = lastMessages.first(where: { $0.id == reference.messageID }) else {
                throw Illegal(description: "there is no message '\(reference.messageID)'")
            }
            try write(message)
        default:
            try writeForOtherWorkflow(command)
        }
    }

    private func write(_ message: ProtocolMessage) throws {
        if let body = try message.body?.unpacked(as: Acceptance.self) {
            var attributes = WorkflowExecutionUpdateAcceptedEventAttributes()
            attributes.protocolInstanceID = message.protocolInstanceID
            attributes.acceptedRequestMessageID = body.acceptedRequestMessageID
            attributes.acceptedRequestSequencingEventID = body.acceptedRequestSequencingEventID
            attributes.acceptedRequest = body.acceptedRequest
            append(.workflowExecutionUpdateAccepted, .workflowExecutionUpdateAcceptedEventAttributes(attributes))
        } else if let body = try message.body?.unpacked(as: Response.self) {
            var attributes = WorkflowExecutionUpdateCompletedEventAttributes()
            attributes.meta = body.meta
            attributes.outcome = body.outcome
            append(.workflowExecutionUpdateCompleted, .workflowExecutionUpdateCompletedEventAttributes(attributes))
        } else {
            throw Illegal(description: "a command names the message '\(message.id)', which needs none")
        }
    }

    private func writeForOtherWorkflow(_ command: Command) throws {
        switch command.attributes {
        case .startChildWorkflowExecutionCommandAttributes(let start):
            var attributes = StartChildWorkflowExecutionInitiatedEventAttributes()
            attributes.workflowID = start.workflowID
            attributes.workflowType = start.workflowType
            append(
                .startChildWorkflowExecutionInitiated,
                .startChildWorkflowExecutionInitiatedEventAttributes(attributes)
            )
            initiated[start.workflowID] = Int64(events.count)
        case .signalExternalWorkflowExecutionCommandAttributes(let signal):
            var attributes = SignalExternalWorkflowExecutionInitiatedEventAttributes()
            attributes.workflowExecution = signal.execution
            attributes.signalName = signal.signalName
            append(
                .signalExternalWorkflowExecutionInitiated,
                .signalExternalWorkflowExecutionInitiatedEventAttributes(attributes)
            )
            initiated[signal.signalName] = Int64(events.count)
        case .requestCancelExternalWorkflowExecutionCommandAttributes(let cancel):
            var attributes = RequestCancelExternalWorkflowExecutionInitiatedEventAttributes()
            attributes.workflowExecution = WorkflowExecution(workflowID: cancel.workflowID, runID: cancel.runID)
            append(
                .requestCancelExternalWorkflowExecutionInitiated,
                .requestCancelExternalWorkflowExecutionInitiatedEventAttributes(attributes)
            )
        default:
            throw Illegal(description: "a command that the test's server doesn't know: \(command.commandType)")
        }
    }

    static func describe(_ command: Command) -> String {
        switch command.attributes {
        case .scheduleActivityTaskCommandAttributes(let it): "schedule \(it.activityType?.name ?? "")"
        case .requestCancelActivityTaskCommandAttributes: "cancel activity"
        case .startTimerCommandAttributes(let it): "timer \(it.timerID)"
        case .cancelTimerCommandAttributes(let it): "cancel timer \(it.timerID)"
        case .completeWorkflowExecutionCommandAttributes: "complete"
        case .failWorkflowExecutionCommandAttributes: "fail"
        case .cancelWorkflowExecutionCommandAttributes: "cancel"
        case .continueAsNewWorkflowExecutionCommandAttributes: "continue as new"
        case .startChildWorkflowExecutionCommandAttributes(let it): "child \(it.workflowID)"
        case .signalExternalWorkflowExecutionCommandAttributes(let it):
            "signal \(it.signalName) to \(it.execution?.workflowID ?? "")"
        case .requestCancelExternalWorkflowExecutionCommandAttributes(let it): "cancel workflow \(it.workflowID)"
        case .protocolMessageCommandAttributes(let it): it.messageID
        default: "\(command.commandType)"
        }
    }

    // MARK: The ending

    /// The result of the last command.
    func result<Value: Codable>(as type: Value.Type) throws -> Value {
        guard case .completeWorkflowExecutionCommandAttributes(let complete) = lastCommands.last?.attributes else {
            throw Illegal(description: "not completed: \(lastCommands.map(Self.describe))")
        }
        return try PayloadCoding.first(complete.result, as: type)
    }

    /// The error of the last command.
    func failure() throws -> any Error {
        guard case .failWorkflowExecutionCommandAttributes(let fail) = lastCommands.last?.attributes else {
            throw Illegal(description: "not failed: \(lastCommands.map(Self.describe))")
        }
        return FailureCoding.error(fail.failure)
    }

    /// The details of the last command, which ends the workflow as cancelled.
    func cancellation() throws -> EncodedValues {
        guard case .cancelWorkflowExecutionCommandAttributes(let cancel) = lastCommands.last?.attributes else {
            throw Illegal(description: "not cancelled: \(lastCommands.map(Self.describe))")
        }
        return EncodedValues(cancel.details)
    }
}
