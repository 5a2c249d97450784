public import SagamoreAPI
public import SagamoreEngine
public import SagamoreServices

/// All that one transaction of a commit lane writes.
public struct CommitBatch: Sendable {
    public var journal: [JournalRow] = []
    public var newRuns: [RunRow] = []
    /// Workflows that are taken to be new: no run of theirs may be in the database. One that is refuses the batch.
    public var assumedNew: [WorkflowKey] = []
    public var closedRuns: [RunClosing] = []
    public var alarms: [AlarmChange] = []
    public var inbox: [InboxRow] = []
    public var heartbeats: [HeartbeatRow] = []
    /// Closed runs whose heartbeats are of no use any more.
    public var endedHeartbeats: [RunID] = []
    /// In order; the store numbers them.
    public var outbox: [OutboxRecord] = []

    public init() {}

    public var isEmpty: Bool {
        journal.isEmpty && newRuns.isEmpty && closedRuns.isEmpty && alarms.isEmpty && inbox.isEmpty && outbox.isEmpty
            && heartbeats.isEmpty && endedHeartbeats.isEmpty
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

/// What an alarm row says.
public struct AlarmValue: Sendable, Equatable {
    public enum Waiting: Sendable, Equatable {
        /// As it is.
        case unchanged
        /// For no queue.
        case none
        /// For room in a task queue, since then; a run that waits already keeps its place.
        case queue(String, since: Instant)
    }

    /// When the owner must look at a run that is out of memory; nil while it is active, `distantFuture` where it waits
    /// for others only.
    public var at: Instant?
    public var waiting: Waiting

    public init(at: Instant?, waiting: Waiting) {
        self.at = at
        self.waiting = waiting
    }

    public static let active = AlarmValue(at: nil, waiting: .unchanged)

    /// This value, written over an earlier one of the same transaction.
    public func merged(over earlier: AlarmValue) -> AlarmValue {
        AlarmValue(at: at, waiting: waiting == .unchanged ? earlier.waiting : waiting)
    }
}

/// What becomes of a run's alarm.
public struct AlarmChange: Sendable, Equatable {
    public enum Change: Sendable, Equatable {
        /// A new run.
        case insert(AlarmValue)
        case set(AlarmValue)
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

/// The newest heartbeat details of a running activity.
public struct HeartbeatRow: Sendable, Equatable {
    public let runID: RunID
    public let scheduledEventID: Int64
    public let attempt: Int32
    /// An encoded `Payloads` message.
    public let details: [UInt8]
    public let recordedAt: Instant

    public init(runID: RunID, scheduledEventID: Int64, attempt: Int32, details: [UInt8], recordedAt: Instant) {
        self.runID = runID
        self.scheduledEventID = scheduledEventID
        self.attempt = attempt
        self.details = details
        self.recordedAt = recordedAt
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
