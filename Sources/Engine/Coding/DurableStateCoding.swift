internal import SagamoreAPI
internal import SagamoreProtobuf

/// Encodes a run's durable state for snapshots, as protobuf in a schema of our own.
///
/// Field numbers are permanent. An unknown field is an error, because it may matter. So a new field raises `format`,
/// and with it the installation's format level.
public enum DurableStateCoding {
    /// The format of the bytes that `encode` returns.
    public static let format: Int16 = 4

    /// Derived properties (the indexes of activities and timers by the workflow's ids) are not stored.
    public static func encode(_ state: DurableState) -> [UInt8] {
        var writer = ProtobufWriter(capacity: 4_096)
        // The writer goes from back to front.
        // What a dictionary holds is written in order: the same state has the same bytes in every process.
        for id in state.requestIDs.sorted(by: >) { writer.string(Field.requestID, id.text) }
        for (id, eventID) in state.completedUpdates.sorted(by: { $0.key > $1.key }) {
            write(completedUpdate: id, eventID, to: &writer)
        }
        for (id, update) in state.updates.sorted(by: { $0.key > $1.key }) { write(id, update, to: &writer) }
        writer.message(Field.earlierResetPoint, state.earlierResetPoints)
        for build in state.builds.reversed() { write(build, to: &writer) }
        writeChildrenAndOthers(of: state, to: &writer)
        for event in state.bufferedEvents.reversed() { writer.message(Field.bufferedEvent, event) }
        for timer in descending(state.timers) { write(timer, to: &writer) }
        for activity in descending(state.activities) { write(activity, to: &writer) }
        if let task = state.workflowTask { write(task, to: &writer) }
        if let origin = state.origin { write(.commandAccepted(origin), Field.origin, to: &writer) }
        if let schedule = state.schedule { write(.scheduled(schedule), Field.schedule, to: &writer) }
        if let completed = state.completedTask {
            write(.workflowTaskCompleted(completed), Field.completedTask, to: &writer)
        }
        writer.message(Field.memo, state.memo)
        writer.message(Field.searchAttributes, state.searchAttributes)
        writer.message(Field.priority, state.priority)
        write(chainOf: state, to: &writer)
        writer.string(Field.workflowType, omittingDefault: state.workflowType)
        writer.string(Field.taskQueue, omittingDefault: state.taskQueue)
        writer.string(Field.startRequestID, omittingDefault: state.startRequestID)
        writer.string(Field.firstRunID, omittingDefault: state.firstRunID)
        writer.string(Field.stickyQueue, omittingDefault: state.stickyQueue)
        writer.int64(Field.startedAt, omittingDefault: state.startedAt.nanoseconds)
        writer.int64(Field.executionTimeout, omittingDefault: state.executionTimeout.nanoseconds)
        writer.int64(Field.runTimeout, omittingDefault: state.runTimeout.nanoseconds)
        writer.int64(Field.taskTimeout, omittingDefault: state.taskTimeout.nanoseconds)
        writer.int64(Field.firstTaskBackoff, omittingDefault: state.firstTaskBackoff.nanoseconds)
        writer.int64(Field.stickyScheduleToStart, omittingDefault: state.stickyScheduleToStart.nanoseconds)
        if let at = state.lastResetAt { writer.int64(Field.lastResetAt, at.nanoseconds) }
        if let at = state.originalStartedAt { writer.int64(Field.originalStartedAt, at.nanoseconds) }
        writer.string(Field.resetRequestID, omittingDefault: state.resetRequestID)
        if let at = state.closedAt { writer.int64(Field.closedAt, at.nanoseconds) }
        if let at = state.firstTaskDueAt { writer.int64(Field.firstTaskDueAt, at.nanoseconds) }
        writer.int32(Field.status, omittingDefault: state.status.rawValue)
        writer.bool(Field.cancelRequested, omittingDefault: state.cancelRequested)
        writer.bool(Field.closeWasRefused, omittingDefault: state.closeWasRefused)
        writer.int64(Field.lastEventID, omittingDefault: state.lastEventID)
        writer.int64(Field.historyBytes, omittingDefault: state.historyBytes)
        writer.int64(Field.factCount, omittingDefault: state.factCount)
        writer.int64(Field.factBytes, omittingDefault: state.factBytes)
        writer.int64(Field.previousStartedEventID, omittingDefault: state.previousStartedEventID)
        writer.int64(Field.bufferedBytes, omittingDefault: Int64(state.bufferedBytes))
        writer.int64(Field.signalCount, omittingDefault: Int64(state.signalCount))
        writer.int64(Field.latestBuild, omittingDefault: Int64(state.latestBuild))
        return writer.bytes()
    }

    static func descending<Value>(_ values: [Int64: Value]) -> [Value] {
        values.sorted { $0.key > $1.key }.map(\.value)
    }

    /// Field numbers of a state.
    enum Field {
        static let workflowType = 1
        static let taskQueue = 2
        static let startedAt = 3
        static let startRequestID = 4
        static let firstRunID = 5
        static let executionTimeout = 6
        static let runTimeout = 7
        static let taskTimeout = 8
        static let memo = 9
        static let searchAttributes = 10
        static let priority = 11
        /// As the fact that says it.
        static let origin = 12
        static let status = 13
        static let closedAt = 14
        static let cancelRequested = 15
        static let lastEventID = 16
        static let historyBytes = 17
        static let factCount = 18
        static let factBytes = 19
        static let workflowTask = 20
        static let firstTaskBackoff = 21
        static let firstTaskDueAt = 22
        static let previousStartedEventID = 23
        /// As the fact that says it.
        static let completedTask = 24
        static let stickyQueue = 25
        static let stickyScheduleToStart = 26
        static let closeWasRefused = 27
        static let activity = 28
        static let timer = 29
        static let bufferedEvent = 30
        static let bufferedBytes = 31
        static let requestID = 32
        static let signalCount = 33
        // 40 to 49: chains.
        static let publishedStatusEvents = 40
        static let attempt = 41
        static let chainExpiration = 42
        /// As the attributes of WorkflowExecutionStarted.
        static let recurrence = 43
        static let userMetadata = 44
        /// Repeated.
        static let attachedRequestID = 45
        // Children and other workflows; the last five are repeated.
        static let parent = 50
        static let root = 51
        static let unreportedEnd = 52
        static let child = 53
        static let signal = 54
        static let cancel = 55
        static let childToEnd = 56
        /// As the fact that says it.
        static let schedule = 57
        /// Updates without an outcome; repeated.
        static let update = 60
        /// Updates with an outcome; repeated.
        static let completedUpdate = 61
        static let lastResetAt = 80
        static let originalStartedAt = 81
        static let resetRequestID = 82
        /// Repeated, as is the next one.
        static let build = 83
        static let earlierResetPoint = 84
        static let latestBuild = 85
        static let last = 85
        /// Numbers below the last one that are not used. They are an error like those above it.
        static let gaps: [ClosedRange<Int>] = [34...39, 46...49, 58...59, 62...79]
    }

    private static func write(_ fact: Fact, _ field: Int, to writer: inout ProtobufWriter) {
        writer.lengthDelimited(field, FactCoding.frame(fact, afterEventID: 0))
    }

    private static func write(_ id: ExactText, _ update: OpenUpdate, to writer: inout ProtobufWriter) {
        let end = writer.count
        switch update {
        case .admitted(let eventID): writer.int64(2, eventID)
        case .accepted(let eventID): writer.int64(3, eventID)
        }
        writer.string(1, id.text)
        writer.lengthDelimited(Field.update, since: end)
    }

    private static func write(completedUpdate id: ExactText, _ eventID: Int64, to writer: inout ProtobufWriter) {
        let end = writer.count
        writer.int64(2, eventID)
        writer.string(1, id.text)
        writer.lengthDelimited(Field.completedUpdate, since: end)
    }

    private static func write(_ task: WorkflowTask, to writer: inout ProtobufWriter) {
        let end = writer.count
        writer.int64(5, omittingDefault: task.afterEventID)
        writer.string(4, omittingDefault: task.stickyQueue)
        writer.int64(3, omittingDefault: task.scheduledAt.nanoseconds)
        writer.int32(2, omittingDefault: task.attempt)
        writer.int64(1, omittingDefault: task.scheduledEventID)
        writer.lengthDelimited(Field.workflowTask, since: end)
    }

    private static func write(_ build: WorkerBuild, to writer: inout ProtobufWriter) {
        let end = writer.count
        writer.bool(5, omittingDefault: build.isResettable)
        writer.int64(4, omittingDefault: build.completedAt.nanoseconds)
        writer.int64(3, omittingDefault: build.completedEventID)
        writer.string(2, omittingDefault: build.binaryChecksum)
        writer.string(1, omittingDefault: build.id)
        writer.lengthDelimited(Field.build, since: end)
    }

    private static func write(_ timer: PendingTimer, to writer: inout ProtobufWriter) {
        let end = writer.count
        writer.int64(3, omittingDefault: timer.fireAt.nanoseconds)
        writer.string(2, omittingDefault: timer.timerID)
        writer.int64(1, omittingDefault: timer.startedEventID)
        writer.lengthDelimited(Field.timer, since: end)
    }
}
