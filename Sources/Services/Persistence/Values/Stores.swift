public import SagamoreEngine
public import SagamorePostgresClient

/// Why a commit did not happen, in the terms that the lane acts on.
public enum CommitError: Error, Sendable {
    /// The shard belongs to another owner: drop it.
    case fenced
    /// One of the rows cannot be written: find it and leave it out.
    case data(PostgresError)
    /// Nothing was written. The same batch can be retried.
    case transient(PostgresError)
    /// The outcome is unknown: take the shard again and check.
    case outcomeUnknown(PostgresError)
    /// Nothing was written, and a retry will not help.
    case permanent(PostgresError)
    /// Nothing was written, and no row is at fault: the database lacks something that every commit needs, such as a
    /// table or a grant. Retry until it exists.
    case misconfigured(PostgresError)

    /// Whether a smaller transaction may succeed where this one failed: SQLSTATE 57014 (statement timeout, canceled)
    /// and 53200 (out of memory).
    public var isOverload: Bool {
        guard case .transient(let cause) = self else { return false }
        return cause.sqlState == "57014" || cause.sqlState == "53200"
    }
}

/// The store that a commit lane writes to. Used only by the thread of the lane.
public protocol LaneStore: AnyObject {
    /// Writes a batch in one transaction.
    func commit(_ batch: CommitBatch, fence: ShardFence) throws(CommitError)
    /// Takes a shard: sets a higher epoch and commits. Returns nil if another owner has it, or if its slices have moved
    /// since this owner read them.
    ///
    /// - Throws: `.permanent` if the installation's format level is higher than this program reads.
    func takeShard(_ shard: Int32, as owner: ShardOwner) throws(CommitError) -> TakenShard?
    /// Takes a shard again after an unknown outcome, only if its row still has this owner and epoch.
    func retakeShard(_ shard: Int32, as owner: ShardOwner, epoch: Int64) throws(CommitError) -> TakenShard?
    /// The owner of the shard and the version of the table of slices; nil if there is no such shard.
    func standing(of shard: Int32) throws(CommitError) -> ShardOwner?
    /// The epoch in the shard's row.
    func epoch(of shard: Int32) throws(CommitError) -> Int64
    /// Renews the lease.
    func renewLease(_ shard: Int32, as owner: ShardOwner, epoch: Int64) throws(CommitError) -> Bool
    /// Releases the shard at a clean stop, so that the next owner need not wait.
    func releaseShard(_ shard: Int32, epoch: Int64) throws(CommitError)
    /// Whether a row of the journal exists.
    func isCommitted(runID: RunID, sequence: Int64) throws(CommitError) -> Bool
    /// Whether a command is in the inbox.
    func isCommitted(_ row: InboxRow) throws(CommitError) -> Bool
    /// Reconnects after an error. Blocks until connected, or until `isStopping` returns true.
    func reconnect() throws(CommitError)
}

/// The owner that may write a shard.
public struct ShardFence: Sendable, Equatable {
    /// The shard that is written.
    public let shard: Int32
    /// The epoch that the owner was given when it took the shard.
    public let epoch: Int64
    /// The number of the shard's last outbox record before this batch.
    public let outboxSequence: Int64

    public init(shard: Int32, epoch: Int64, outboxSequence: Int64) {
        self.shard = shard
        self.epoch = epoch
        self.outboxSequence = outboxSequence
    }
}

/// A process that takes a shard.
public struct ShardOwner: Sendable, Equatable {
    /// The configured name of the node. A new process with the same name takes over at once.
    public let node: String
    /// This process.
    public let process: String
    /// The version of the table of slices that this process routes by.
    public let sliceVersion: Int64
    /// Whether its outbox records get numbers that no record had before, also none of commits that the database has
    /// lost: they begin at the database's clock.
    public let leavesNumbersOut: Bool

    public init(node: String, process: String, sliceVersion: Int64 = 1, leavesNumbersOut: Bool = false) {
        self.node = node
        self.process = process
        self.sliceVersion = sliceVersion
        self.leavesNumbersOut = leavesNumbersOut
    }
}

/// A shard's row, as its owner knows it.
public struct TakenShard: Sendable, Equatable {
    /// Raised each time the shard is taken. A commit with an older epoch is refused.
    public var epoch: Int64
    /// The number of the shard's last outbox record.
    public var outboxSequence: Int64
    /// The number of the shard's commits. A database with fewer than its owner saw has lost some.
    public var commitCount: Int64
    /// The newest form of rows that the owner may write. Every program that can take the shard reads it.
    public var formatLevel: Int32

    /// Makes a row.
    public init(epoch: Int64, outboxSequence: Int64, commitCount: Int64, formatLevel: Int32 = 1) {
        self.epoch = epoch
        self.outboxSequence = outboxSequence
        self.commitCount = commitCount
        self.formatLevel = formatLevel
    }

    /// Snapshots in the form that this program writes are of format level 4.
    public var allowsSnapshots: Bool { formatLevel >= 5 }
}

/// The store that executions are read from. Blocks; used by loader threads.
public protocol LoaderStore: AnyObject {
    /// The shard of each slice.
    func sliceTable() throws(CommitError) -> SliceTable
    /// The newest run of each workflow, and whether each command is known, in the order of the lookups.
    func lookUp(_ questions: [LookUp]) throws(CommitError) -> [LookUpAnswer]
    /// What runs are rebuilt from, by run id and number, behind a position, up to about `byteLimit` bytes: at least one
    /// part where there is one. Of each run its snapshot where it has one, and the rows of its journal behind that.
    func loadJournals(
        _ runIDs: [RunID],
        after position: JournalPosition,
        byteLimit: Int
    ) throws(CommitError) -> JournalPage
    /// Whether a fact of a run, or its snapshot, holds these bytes.
    func journalContains(_ bytes: [UInt8], of runID: RunID) throws(CommitError) -> Bool
    /// Whether an event of a run holds these bytes.
    func historyContains(_ bytes: [UInt8], of runID: RunID) throws(CommitError) -> Bool
    /// The flushed heartbeat details of runs, by run id and activity, behind a position, up to about `byteLimit` bytes:
    /// at least one row where there is one.
    func loadHeartbeats(
        _ runIDs: [RunID],
        after position: HeartbeatPosition,
        byteLimit: Int
    ) throws(CommitError) -> HeartbeatPage
    /// The retention of each namespace, by its number.
    func retentions() throws(CommitError) -> [Int32: Interval]
    /// Deletes closed runs of namespaces in a shard that owe nothing, with all that belongs to them: one bounded step,
    /// in the order of run ids between `first` and `end`, both left out. Returns the last run that was deleted where
    /// there may be more; nil when all were looked at.
    func deleteRuns(
        shard: Int32,
        of namespaces: [Int32],
        closedBefore: Instant,
        after first: RunID,
        before end: RunID,
        limit: Int
    ) throws(CommitError) -> RunID?
    /// Erases what is stored of deleted runs of a shard that owe nothing: one bounded step. Returns whether there may
    /// be more.
    func eraseDeletedRuns(shard: Int32, limit: ErasureLimit) throws(CommitError) -> Bool
    /// Deletes traces of commands that were received before an instant, at most `limit`; returns how many.
    func deleteTraces(before instant: Instant, limit: Int) throws(CommitError) -> Int
    /// The rows of runs, deleted ones too, by run id; those that do not exist are left out.
    func loadRuns(_ runIDs: [RunID]) throws(CommitError) -> [RunID: RunRow]
    /// The newest run that a reset began with the history of this one; nil if there is none.
    func resetRun(of runID: RunID) throws(CommitError) -> RunID?
    /// The active runs of a shard, open ones and closed ones with debts, after `runID`, by run id.
    func activeRuns(shard: Int32, after runID: RunID?, limit: Int) throws(CommitError) -> [RunRow]
    /// Parked runs of a shard whose alarm is before `instant`, with their alarms, earliest first; only those after
    /// `last` if it is given.
    func parkedRuns(
        shard: Int32,
        before instant: Instant,
        after last: (Instant, RunID)?,
        limit: Int
    ) throws(CommitError) -> [(RunRow, Instant)]
    /// Tasks of a shard's open runs that wait for room in a task queue, in the order of their places.
    func waitingTasks(
        shard: Int32,
        queue: String,
        limit: Int
    ) throws(CommitError) -> [(run: RunRow, row: BacklogRow)]
    /// The task queues that tasks of a shard wait for.
    func waitingQueues(shard: Int32) throws(CommitError) -> [String]
    /// Rows of a run's journal that hold events, from the one that holds `eventID`, without their facts, up to about
    /// `byteLimit` bytes; none when the run is deleted or not one of the workflow.
    func readHistory(
        _ runID: RunID,
        of workflow: WorkflowKey,
        from eventID: Int64,
        byteLimit: Int
    ) throws(CommitError) -> [JournalRow]
    /// Rows of a run's journal that hold events, back from the one that holds `eventID`, the newest first, without
    /// their facts, up to about `byteLimit` bytes; none when the run is deleted or not one of the workflow.
    func readHistory(
        _ runID: RunID,
        of workflow: WorkflowKey,
        backFrom eventID: Int64,
        byteLimit: Int
    ) throws(CommitError) -> [JournalRow]
}

/// A question to the loader's store: the newest run of a workflow id, and whether a command was carried out.
public struct LookUp: Sendable, Hashable {
    /// The workflow whose newest run is wanted.
    public let key: WorkflowKey
    /// Empty if only the run is wanted.
    public let commandID: String

    public init(key: WorkflowKey, commandID: String) {
        self.key = key
        self.commandID = commandID
    }

    /// Compares bytes, as the database does.
    public static func == (left: LookUp, right: LookUp) -> Bool {
        left.key == right.key && left.commandID.hasSameBytes(as: right.commandID)
    }

    public func hash(into hasher: inout Hasher) {
        hasher.combine(key)
        hasher.combine(bytesOf: commandID)
    }
}

/// The answer to a `LookUp`.
public struct LookUpAnswer: Sendable {
    /// The newest run of the workflow id, which may be deleted, or nil if there is none.
    public let run: RunRow?
    /// Whether a command with this id was executed before.
    public let isKnownCommand: Bool
    /// When the run has to be back in memory; nil if its row says that it is there, or if it has no alarm.
    public let alarm: Instant?

    public init(run: RunRow?, isKnownCommand: Bool, alarm: Instant?) {
        self.run = run
        self.isKnownCommand = isKnownCommand
        self.alarm = alarm
    }
}
