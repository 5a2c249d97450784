public import SagamoreAPI
public import SagamoreEngine
public import SagamoreServices

/// Everything that one transaction of a commit lane writes.
public struct CommitBatch: Sendable {
    /// Rows to append to journals. The last one is still there after the commit, so it tells whether the batch was
    /// committed; an earlier one may be one that a snapshot of the same batch made superfluous.
    public var journal: [JournalRow] = []
    /// States that replace earlier ones, at most one a run. The row of the journal with the same number is the last one
    /// that the state holds.
    public var snapshots: [SnapshotRow] = []
    /// Runs that start.
    public var newRuns: [RunRow] = []
    /// Workflows that are assumed to be new. The batch is refused if the database has a run of one of them.
    public var assumedNew: [WorkflowKey] = []
    /// Runs that end.
    public var closedRuns: [RunClosing] = []
    /// Changes of what lists show of runs, at most one a run.
    public var listingChanges: [RunListingChange] = []
    /// Changes of alarms, at most one a run.
    public var alarms: [AlarmChange] = []
    /// Commands that take effect.
    public var inbox: [InboxRow] = []
    /// Heartbeat details to replace, at most one an activity.
    public var heartbeats: [HeartbeatRow] = []
    /// Closed runs whose heartbeats are to be deleted.
    public var endedHeartbeats: [RunID] = []
    /// Changes of the backlog, at most one a task.
    public var backlog: [BacklogChange] = []
    /// Closed runs whose backlog is to be deleted.
    public var endedBacklogs: [RunID] = []
    /// Runs that begin with the history of another one.
    public var resets: [RunReset] = []
    /// Closed runs that are deleted.
    public var deletions: [RunDeletion] = []
    /// Outbox records, in order; the store numbers them.
    public var outbox: [OutboxRecord] = []

    /// A batch that writes nothing.
    public init() {}

    /// Whether the batch writes nothing.
    public var isEmpty: Bool {
        journal.isEmpty && newRuns.isEmpty && closedRuns.isEmpty && alarms.isEmpty && inbox.isEmpty && outbox.isEmpty
            && heartbeats.isEmpty && endedHeartbeats.isEmpty && snapshots.isEmpty && backlog.isEmpty
            && endedBacklogs.isEmpty && deletions.isEmpty && resets.isEmpty && listingChanges.isEmpty
    }
}

/// A transition of a run, or several that were committed together.
public struct JournalRow: Sendable, Equatable {
    /// The run.
    public var runID: RunID
    /// Counts the run's transitions from 1; that of the row's first one.
    public var sequence: Int64
    /// The id of the first event in `events`, or of the next one when there is none.
    public var firstEventID: Int64
    /// Encoded events: frames of the field `History.events`.
    public var events: [UInt8]
    /// Encoded facts.
    public var facts: [UInt8]
    /// The step that the run has begun, if it has begun one: the type of the last activity or child among the events.
    public var step: String?
    /// The build whose worker has completed a workflow task, where it is the run's first of this build.
    public var build = WorkerBuild.Names()

    public init(
        runID: RunID,
        sequence: Int64,
        firstEventID: Int64,
        events: [UInt8],
        facts: [UInt8],
        step: String? = nil,
        build: WorkerBuild.Names = WorkerBuild.Names()
    ) {
        self.step = step
        self.build = build
        self.runID = runID
        self.sequence = sequence
        self.firstEventID = firstEventID
        self.events = events
        self.facts = facts
    }

    /// Whether the run's next row can be written with this one: each has one build at most.
    public func canTake(_ next: JournalRow) -> Bool {
        (build.id == nil || next.build.id == nil)
            && (build.binaryChecksum == nil || next.build.binaryChecksum == nil)
    }

    /// Adds the run's next row.
    public mutating func take(_ next: JournalRow) {
        events += next.events
        facts += next.facts
        step = next.step ?? step
        build.id = next.build.id ?? build.id
        build.binaryChecksum = next.build.binaryChecksum ?? build.binaryChecksum
    }
}

/// The durable state of a run after one of its transitions.
public struct SnapshotRow: Sendable, Equatable {
    /// The run.
    public var runID: RunID
    /// The number of the last transition that the state holds.
    public var sequence: Int64
    /// The number of the snapshot before this one; 0 where there is none. Rows of the journal from that one on, and
    /// before `sequence`, lose their facts with the commit.
    public var previousSequence: Int64
    /// The form of `state`.
    public var format: Int16
    /// The encoded state.
    public var state: [UInt8]

    public init(runID: RunID, sequence: Int64, previousSequence: Int64, format: Int16, state: [UInt8]) {
        self.runID = runID
        self.sequence = sequence
        self.previousSequence = previousSequence
        self.format = format
        self.state = state
    }
}

/// A run as lists show it.
public struct RunRow: Sendable, Equatable {
    /// The id of the run.
    public let runID: RunID
    /// The workflow that it belongs to.
    public let key: WorkflowKey
    /// The workflow's type.
    public let workflowType: String
    /// The task queue for workflow tasks.
    public let taskQueue: String
    /// The id of the request that started it.
    public let startRequestID: String
    /// Whether it is open, or how it closed.
    public var status: WorkflowExecutionStatus
    /// When it was started.
    public let startedAt: Instant
    /// When it closed, or nil while it is open.
    public var closedAt: Instant?
    /// The number of events; known when it has closed.
    public var historyLength: Int64
    /// The size of the encoded history in bytes; known when it has closed.
    public var historyBytes: Int64
    /// What else lists show. Written with the row, and not read back with it.
    public var listing: RunListing

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
        historyBytes: Int64,
        listing: RunListing = RunListing()
    ) {
        self.listing = listing
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
    /// The run.
    public let runID: RunID
    /// How it closed.
    public let status: WorkflowExecutionStatus
    /// When it closed.
    public let closedAt: Instant
    /// The number of its events.
    public let historyLength: Int64
    /// The size of its encoded history in bytes.
    public let historyBytes: Int64
    /// The number of its transitions.
    public let transitions: Int64
    /// How far it has come as a saga; nil where nothing was undone.
    public var saga: SagaStatus?

    public init(
        runID: RunID,
        status: WorkflowExecutionStatus,
        closedAt: Instant,
        historyLength: Int64,
        historyBytes: Int64,
        transitions: Int64 = 0,
        saga: SagaStatus? = nil
    ) {
        self.transitions = transitions
        self.saga = saga
        self.runID = runID
        self.status = status
        self.closedAt = closedAt
        self.historyLength = historyLength
        self.historyBytes = historyBytes
    }
}

/// The content of an alarm row.
public struct AlarmValue: Sendable, Equatable {
    /// When the owner must look at a run that is out of memory; nil while it is active, `distantFuture` where it waits
    /// for others only.
    public var at: Instant?

    public init(at: Instant?) { self.at = at }

    /// The run belongs in its owner's memory.
    public static let active = AlarmValue(at: nil)
}

/// A change of a run's alarm.
public struct AlarmChange: Sendable, Equatable {
    /// What to do with the row.
    public enum Change: Sendable, Equatable {
        /// A new run.
        ///
        /// - Parameter isOpen: false where it has closed with debts in the same transaction.
        case insert(AlarmValue, isOpen: Bool = true)
        /// Write the row and replace an earlier one.
        case set(AlarmValue)
        /// The run has closed with debts: keep the row, and let the workflow id have another open run.
        case close(AlarmValue)
        /// Delete the row: the run has closed and owes nothing.
        case remove
    }

    /// The run.
    public let runID: RunID
    /// What to do with its row.
    public let change: Change

    public init(runID: RunID, change: Change) {
        self.runID = runID
        self.change = change
    }
}

/// The newest heartbeat details of a running activity.
public struct HeartbeatRow: Sendable, Equatable {
    /// The run.
    public let runID: RunID
    /// The activity, by the id of ActivityTaskScheduled.
    public let scheduledEventID: Int64
    /// The number of the attempt, from 1.
    public let attempt: Int32
    /// An encoded `Payloads` message.
    public let details: [UInt8]
    /// When the heartbeat arrived.
    public let recordedAt: Instant

    public init(runID: RunID, scheduledEventID: Int64, attempt: Int32, details: [UInt8], recordedAt: Instant) {
        self.runID = runID
        self.scheduledEventID = scheduledEventID
        self.attempt = attempt
        self.details = details
        self.recordedAt = recordedAt
    }
}

/// A command in the inbox.
public struct InboxRow: Sendable, Equatable {
    /// When the command was executed.
    public let receivedAt: Instant
    /// The workflow that the command was for.
    public let key: WorkflowKey
    /// The command's id.
    public let commandID: String
    /// The record that held it.
    public let source: RecordCoordinates

    public init(receivedAt: Instant, key: WorkflowKey, commandID: String, source: RecordCoordinates) {
        self.receivedAt = receivedAt
        self.key = key
        self.commandID = commandID
        self.source = source
    }
}
