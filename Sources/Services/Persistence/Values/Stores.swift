public import SagamoreEngine
public import SagamorePostgresClient

/// Why a commit did not happen, in the words that the lane acts on.
public enum CommitError: Error, Sendable {
    /// The shard belongs to another owner: drop it.
    case fenced
    /// One of the rows can't be written: find it and leave it out.
    case data(PostgresError)
    /// Nothing was written; it can be tried again as it is.
    case transient(PostgresError)
    /// It may be written or not: take the shard again, and look.
    case outcomeUnknown(PostgresError)
    /// Nothing was written, and trying the same again will not help.
    case permanent(PostgresError)
    /// Nothing was written, and no row is to blame: the database lacks what every commit needs, a table or a grant. Try
    /// again until it is there.
    case misconfigured(PostgresError)

    /// Whether a smaller transaction may pass where this one did not: SQLSTATE 57014 (statement timeout, canceled) and
    /// 53200 (out of memory).
    public var isOverload: Bool {
        guard case .transient(let cause) = self else { return false }
        return cause.sqlState == "57014" || cause.sqlState == "53200"
    }
}

/// Where a commit lane writes. Used by the one thread of the lane.
public protocol LaneStore: AnyObject {
    /// Writes a batch in one transaction.
    func commit(_ batch: CommitBatch, fence: ShardFence) throws(CommitError)
    /// Takes a shard: sets a higher epoch, commits. Nil when another owner has it, or when its slices have moved since
    /// this owner read them.
    ///
    /// - Throws: `.permanent` where the installation's format level is higher than this program reads.
    func takeShard(_ shard: Int32, as owner: ShardOwner) throws(CommitError) -> TakenShard?
    /// Takes a shard again after an outcome that is not known: only where this owner and epoch still stand.
    func retakeShard(_ shard: Int32, as owner: ShardOwner, epoch: Int64) throws(CommitError) -> TakenShard?
    /// Whose the shard is, and the version of the table of slices; nil when there is no such shard.
    func standing(of shard: Int32) throws(CommitError) -> ShardOwner?
    /// The epoch in the shard's row.
    func epoch(of shard: Int32) throws(CommitError) -> Int64
    /// Raises the number of the shard's last outbox record to at least `sequence`.
    func raiseOutbox(_ shard: Int32, to sequence: Int64) throws(CommitError)
    /// Lengthens the lease.
    func renewLease(_ shard: Int32, as owner: ShardOwner, epoch: Int64) throws(CommitError) -> Bool
    /// Gives the shard back at a clean stop, so that the next owner need not wait.
    func releaseShard(_ shard: Int32, epoch: Int64) throws(CommitError)
    /// Whether a row of the journal is there.
    func isCommitted(runID: RunID, sequence: Int64) throws(CommitError) -> Bool
    /// Whether a command is there.
    func isCommitted(_ row: InboxRow) throws(CommitError) -> Bool
    /// Makes the connection anew after an error; blocks until it is there or `isStopping` says so.
    func reconnect() throws(CommitError)
}

/// Which owner may write.
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

/// Who takes a shard.
public struct ShardOwner: Sendable, Equatable {
    /// The configured name: a new process of the same name takes over at once.
    public let node: String
    /// This process.
    public let process: String
    /// The version of the table of slices that this process goes by.
    public let sliceVersion: Int64

    public init(node: String, process: String, sliceVersion: Int64 = 1) {
        self.node = node
        self.process = process
        self.sliceVersion = sliceVersion
    }
}

/// A shard's row, as its owner knows it.
public struct TakenShard: Sendable, Equatable {
    /// Raised with each taking: a commit with an older one is refused.
    public var epoch: Int64
    /// The number of the shard's last outbox record.
    public var outboxSequence: Int64
    /// Counts the shard's commits. A database that holds fewer than its owner saw has lost some.
    public var commitCount: Int64
    /// The newest form of rows that the owner may write: every program that can take the shard reads it.
    public var formatLevel: Int32

    /// Makes a row.
    public init(epoch: Int64, outboxSequence: Int64, commitCount: Int64, formatLevel: Int32 = 1) {
        self.epoch = epoch
        self.outboxSequence = outboxSequence
        self.commitCount = commitCount
        self.formatLevel = formatLevel
    }

    /// Snapshots are of format level 2.
    public var allowsSnapshots: Bool { formatLevel >= 2 }
}

/// Where executions are read from. Blocks: used by loader threads.
public protocol LoaderStore: AnyObject {
    /// Which shard has which slice.
    func sliceTable() throws(CommitError) -> SliceTable
    /// The newest run of each workflow, and of each command whether it is known; in the order asked.
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
    /// Deletes traces of commands that were received before an instant, at most `limit`; returns how many.
    func deleteTraces(before instant: Instant, limit: Int) throws(CommitError) -> Int
    /// The rows of runs, by run id; those that do not exist are left out.
    func loadRuns(_ runIDs: [RunID]) throws(CommitError) -> [RunID: RunRow]
    /// The active runs of a shard, open ones and closed ones with debts, after `runID`, by run id.
    func activeRuns(shard: Int32, after runID: RunID?, limit: Int) throws(CommitError) -> [RunRow]
    /// Parked runs of a shard whose alarm is before `instant`, with their alarms, earliest first; those behind `last`
    /// where that is given.
    func parkedRuns(
        shard: Int32,
        before instant: Instant,
        after last: (Instant, RunID)?,
        limit: Int
    ) throws(CommitError) -> [(RunRow, Instant)]
    /// Tasks of a shard's open runs that wait for room in a task queue, the longest waiting first.
    func waitingTasks(
        shard: Int32,
        queue: String,
        limit: Int
    ) throws(CommitError) -> [(run: RunRow, row: BacklogRow)]
    /// The task queues for which tasks of a shard wait.
    func waitingQueues(shard: Int32) throws(CommitError) -> [String]
    /// Rows of a run's journal that hold events, from the one that holds `eventID`, without their facts, up to about
    /// `byteLimit` bytes; none when the run is not one of the workflow.
    func readHistory(
        _ runID: RunID,
        of workflow: WorkflowKey,
        from eventID: Int64,
        byteLimit: Int
    ) throws(CommitError) -> [JournalRow]
}

/// A question to the loader's store: the newest run of a workflow id, and whether a command was carried out.
public struct LookUp: Sendable, Hashable {
    /// The workflow whose newest run is wanted.
    public let key: WorkflowKey
    /// Empty: only the run is asked for.
    public let commandID: String

    public init(key: WorkflowKey, commandID: String) {
        self.key = key
        self.commandID = commandID
    }

    /// By bytes, as the database has it.
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
    /// The newest run of the workflow id, or nil when there never was one.
    public let run: RunRow?
    /// Whether a command with this id was carried out before.
    public let isKnownCommand: Bool
}
