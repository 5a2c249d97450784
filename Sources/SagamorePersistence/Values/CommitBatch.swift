public import SagamoreAPI
public import SagamoreEngine
public import SagamoreServices

/// All that one transaction of a commit lane writes.
public struct CommitBatch: Sendable {
    public var journal: [JournalRow] = []
    public var newRuns: [RunRow] = []
    public var closedRuns: [RunClosing] = []
    public var alarms: [AlarmChange] = []
    public var inbox: [InboxRow] = []
    /// In order; the store numbers them.
    public var outbox: [OutboxRecord] = []

    public init() {}

    public var isEmpty: Bool {
        journal.isEmpty && newRuns.isEmpty && closedRuns.isEmpty && alarms.isEmpty && inbox.isEmpty && outbox.isEmpty
    }
}

/// A transition of a run, or several that were committed together.
public struct JournalRow: Sendable, Equatable {
    public var runID: RunID
    /// Counts the run's transitions from 1; that of the row's first one.
    public var sequence: Int64
    public var firstEventID: Int64
    public var events: [UInt8]
    public var facts: [UInt8]

    public init(runID: RunID, sequence: Int64, firstEventID: Int64, events: [UInt8], facts: [UInt8]) {
        self.runID = runID
        self.sequence = sequence
        self.firstEventID = firstEventID
        self.events = events
        self.facts = facts
    }
}

/// A run as lists show it.
public struct RunRow: Sendable, Equatable {
    public let runID: RunID
    public let key: WorkflowKey
    public let workflowType: String
    public let taskQueue: String
    public let startRequestID: String
    public var status: WorkflowExecutionStatus
    public let startedAt: Instant
    public var closedAt: Instant?
    public var historyLength: Int64
    public var historyBytes: Int64

    public init(
        runID: RunID,
        key: WorkflowKey,
        workflowType: String,
        taskQueue: String,
        startRequestID: String,
        status: WorkflowExecutionStatus,
        startedAt: Instant,
        closedAt: Instant?,
        historyLength: Int64,
        historyBytes: Int64
    ) {
        self.runID = runID
        self.key = key
        self.workflowType = workflowType
        self.taskQueue = taskQueue
        self.startRequestID = startRequestID
        self.status = status
        self.startedAt = startedAt
        self.closedAt = closedAt
        self.historyLength = historyLength
        self.historyBytes = historyBytes
    }
}

/// The end of a run.
public struct RunClosing: Sendable, Equatable {
    public let runID: RunID
    public let status: WorkflowExecutionStatus
    public let closedAt: Instant
    public let historyLength: Int64
    public let historyBytes: Int64

    public init(
        runID: RunID,
        status: WorkflowExecutionStatus,
        closedAt: Instant,
        historyLength: Int64,
        historyBytes: Int64
    ) {
        self.runID = runID
        self.status = status
        self.closedAt = closedAt
        self.historyLength = historyLength
        self.historyBytes = historyBytes
    }
}

/// What becomes of a run's alarm.
public struct AlarmChange: Sendable, Equatable {
    public enum Change: Sendable, Equatable {
        /// A new run: active from the start.
        case insert
        case active
        /// Out of memory until then; `distantFuture` where it waits for others only.
        case parked(Instant)
        /// Closed, and it owes nothing.
        case remove
    }

    public let runID: RunID
    public let change: Change

    public init(runID: RunID, change: Change) {
        self.runID = runID
        self.change = change
    }
}

/// A command's trace.
public struct InboxRow: Sendable, Equatable {
    public let receivedAt: Instant
    public let key: WorkflowKey
    public let commandID: String
    public let source: RecordCoordinates

    public init(receivedAt: Instant, key: WorkflowKey, commandID: String, source: RecordCoordinates) {
        self.receivedAt = receivedAt
        self.key = key
        self.commandID = commandID
        self.source = source
    }
}
