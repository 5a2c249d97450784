public import Sagamore
internal import SagamoreAPI
internal import SagamoreProtobuf

/// The history of one run, written by a test: what happens to a workflow, step by step, without a server.
///
/// A test adds events (a signal, the end of an activity, a timer that fires), and ``task()`` lets the workflow's code
/// run until it waits again. The book writes what the code asks for as a server would, and returns it in words:
///
///     let book = try HistoryBook(BookTrip.self, trip)
///     #expect(try book.task() == ["schedule reserve_hotel"])
///     try book.complete(Trips.reserveHotel, "room 7")
///     #expect(try book.task() == ["schedule charge"])
///     book.forgetRun()  // as if the worker had lost it: the code is replayed
///
/// No time passes: timers and timeouts are events like others. Use it in one thread.
public final class HistoryBook {
    /// What no server would do: the end of an activity that does not run, a result of a workflow that has none.
    public struct IllegalEventError: Error, Sendable, Hashable, CustomStringConvertible {
        /// What is wrong.
        public let description: String
    }

    private(set) var events: [HistoryEvent] = []
    /// The commands and the messages of the last workflow task.
    private(set) var lastCommands: [Command] = []
    private(set) var lastMessages: [ProtocolMessage] = []
    /// Updates for the next workflow task.
    var updates: [UpdateInput] = []
    /// The events of open activities, by the names of their types; the newest of each.
    var scheduled: [String: Int64] = [:]
    var timers: Set<String> = []
    /// The events with which something was initiated: by workflow ids for children, by signals' names for signals.
    var initiated: [String: Int64] = [:]
    private(set) var run: WorkflowRun
    private var delivered = 0
    private let runID: String
    private let makeRun: () -> WorkflowRun

    /// A run of a workflow that was started with `input`. Its code has not begun.
    /// - Throws: `DataError` when the input cannot be encoded.
    public init<Code: Workflow>(_ type: Code.Type, _ input: Code.Input, runID: String = "run-1") throws {
        self.runID = runID
        makeRun = { Self.makeRun(of: Code.self, runID) }
        run = makeRun()
        var started = WorkflowExecutionStartedEventAttributes()
        started.input = try PayloadCoding.arguments(input)
        append(.workflowExecutionStarted, .workflowExecutionStartedEventAttributes(started))
    }

    deinit { run.evict() }

    // MARK: Workflow tasks

    /// Lets the code handle what has happened since the last task, and writes what it asks for.
    ///
    /// - Returns: what the code asks for, in words: `schedule reserve_hotel`, `timer 3`, `child trip-7`, `complete`.
    /// - Throws: the error that fails the task: `NondeterminismError`, or one that no workflow ends with.
    @discardableResult
    public func task() throws -> [String] {
        startTask()
        let arrived = updates
        updates = []
        switch run.handle(Array(events[delivered...]), updates: arrived) {
        case .failed(let failure): throw failure.error
        case .commands(let commands):
            lastMessages = run.takeMessages()
            try write(commands)
            return commands.map(Self.describe)
        }
    }

    /// A workflow task whose answer is lost with the worker.
    public func lostTask() {
        startTask()
        _ = run.handle(Array(events[delivered...]))
        append(.workflowTaskTimedOut, .workflowTaskTimedOutEventAttributes(WorkflowTaskTimedOutEventAttributes()))
        forgetRun()
    }

    /// The worker loses the run: the next task replays the whole history.
    public func forgetRun() {
        run.evict()
        run = makeRun()
        delivered = 0
    }

    /// Replays the history so far with other code, or with the same.
    /// - Throws: `NondeterminismError` when the code does something else than the history says.
    public func replay<Code: Workflow>(with type: Code.Type) throws {
        try HistoryReplay.replay(events, in: Self.makeRun(of: Code.self, runID))
    }

    private static func makeRun<Code: Workflow>(of type: Code.Type, _ runID: String) -> WorkflowRun {
        let info = WorkflowInfo(
            workflowID: "workflow-1",
            runID: runID,
            type: Code.type.name,
            taskQueue: Code.type.taskQueue
        )
        return WorkflowRun(info, of: Code.self)
    }

    func startTask() {
        append(.workflowTaskScheduled, .workflowTaskScheduledEventAttributes(WorkflowTaskScheduledEventAttributes()))
        append(.workflowTaskStarted, .workflowTaskStartedEventAttributes(WorkflowTaskStartedEventAttributes()))
    }

    func write(_ commands: [Command]) throws {
        lastCommands = commands
        delivered = events.count
        append(.workflowTaskCompleted, .workflowTaskCompletedEventAttributes(WorkflowTaskCompletedEventAttributes()))
        for command in commands { try write(command) }
    }

    /// The worker rebuilds the run from the whole history for a query. The next task has only the events after the last
    /// task, as if the worker had kept the run.
    func rebuildForQuery() throws {
        run.evict()
        run = makeRun()
        if case .failed(let failure) = run.handle(events) { throw failure.error }
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

    func append(_ type: EventType, _ attributes: HistoryEvent.OneOf_Attributes?) {
        var event = HistoryEvent()
        event.eventID = Int64(events.count + 1)
        event.eventType = type
        event.eventTime = ProtobufTimestamp(seconds: 1_000_000 + Int64(events.count), nanos: 0)
        event.attributes = attributes
        events.append(event)
    }

    // MARK: The ending

    /// The workflow's result, after the task that completed it.
    /// - Throws: ``IllegalEventError`` when it did not complete; `DataError` when the result is of another type.
    public func result<Value: Decodable>(as type: Value.Type) throws -> Value {
        guard case .completeWorkflowExecutionCommandAttributes(let complete) = lastCommands.last?.attributes else {
            throw IllegalEventError(description: "not completed: \(lastCommands.map(Self.describe))")
        }
        return try PayloadCoding.first(complete.result, as: type)
    }

    /// The error that the workflow failed with, after the task that failed it.
    /// - Throws: ``IllegalEventError`` when it did not fail.
    public func failure() throws -> any Error {
        guard case .failWorkflowExecutionCommandAttributes(let fail) = lastCommands.last?.attributes else {
            throw IllegalEventError(description: "not failed: \(lastCommands.map(Self.describe))")
        }
        return FailureCoding.error(fail.failure)
    }

    /// The details that the workflow ended with as cancelled, after the task that did.
    /// - Throws: ``IllegalEventError`` when it was not cancelled.
    public func cancellation() throws -> EncodedValues {
        guard case .cancelWorkflowExecutionCommandAttributes(let cancel) = lastCommands.last?.attributes else {
            throw IllegalEventError(description: "not cancelled: \(lastCommands.map(Self.describe))")
        }
        return EncodedValues(cancel.details)
    }
}
