public import SagamoreEngine
public import SagamorePersistence
public import SagamorePostgresClient

/// The service's database in memory, for a world that runs in one thread. It answers as PostgreSQL does with this
/// version's schema and statements.
///
/// Each session is a store object, made by `laneStore(of:)`, `loaderStore(of:)` or `outboxStore(process:)`. The world
/// decides by `fault` what goes wrong. Nothing depends on the order of a dictionary.
///
/// Unchecked: the whole world runs in one thread.
public final class SimulatedDatabase: @unchecked Sendable {
    /// Asked before each operation.
    public var fault: ((DatabaseOperation) -> DatabaseFault)?
    /// Called behind each batch that was committed, also where its caller does not hear of it. `transactionCount` then
    /// counts it: when `rollBack` has brought the count below that, it is undone.
    public var onCommit: ((CommitBatch, ShardFence) -> Void)?
    /// Called behind a commit that changes rows that do not exist, with each of them. Production ends the process then.
    public var onMissingRows: ((String) -> Void)?
    /// Called when rows are to be written that are there already: a lane asks what became of a commit before it repeats
    /// it.
    public var onRepeatedRow: ((String) -> Void)?
    /// The defects that it has.
    public var plantedBugs: Set<PlantedBug> = []
    /// The number of transactions that were committed and not rolled back. Those that changed nothing do not count.
    public private(set) var transactionCount = 0
    /// The newest format that programs read that take shards.
    public var knownFormatLevel: Int32 = 5

    /// The database server's clock.
    let now: () -> Instant
    var tables: Tables
    /// Counts rows whose order of writing matters.
    var rowNumber = 0
    /// The outcome of the operation that runs does not reach its caller.
    private(set) var isAnswerLost = false

    private var generation = 0
    private var undoLog: UndoLog
    /// Of the open transaction: what restores the rows, in the order of the changes.
    private var changes: [Change] = []
    private var hanging: [HangingCommit] = []

    /// A transaction that holds its shard's row.
    private struct HangingCommit {
        let batch: CommitBatch
        let fence: ShardFence
        let until: Instant
        let isDone: Bool
    }

    /// A migrated database.
    ///
    /// - Parameters:
    ///   - shardCount: the shards, among which the slices are even.
    ///   - undoLimit: how many of the newest transactions can be rolled back.
    ///   - now: the database server's clock, for leases and for transactions that hang.
    public init(
        shardCount: Int,
        formatLevel: Int32 = 5,
        undoLimit: Int = 1_000,
        now: @escaping () -> Instant
    ) {
        precondition((1...1_024).contains(shardCount))
        self.now = now
        tables = Tables(shardCount: shardCount, formatLevel: formatLevel)
        undoLog = UndoLog(limit: undoLimit)
    }

    // MARK: Sessions

    /// A session of a lane.
    ///
    /// - Parameter client: who asks, for `fault`.
    /// - Throws: `.cannotConnect` where `fault` says anything but `none`.
    public func laneStore(of client: String) throws(PostgresError) -> SimulatedLaneStore {
        SimulatedLaneStore(self, try connected(Session(.lane, client)))
    }

    /// A session of a loader; see `laneStore(of:)`.
    public func loaderStore(of client: String) throws(PostgresError) -> SimulatedLoaderStore {
        SimulatedLoaderStore(self, try connected(Session(.loader, client)))
    }

    /// A session of a publisher; see `laneStore(of:)`.
    ///
    /// - Parameter process: the name under which the process owns shards.
    public func outboxStore(process: String) throws(PostgresError) -> SimulatedOutboxStore {
        SimulatedOutboxStore(self, try connected(Session(.publisher, process)))
    }

    private func connected(_ session: Session) throws(PostgresError) -> Session {
        try connect(session)
        return session
    }

    /// Begins a session, anew where it has begun before.
    func connect(_ session: Session) throws(PostgresError) {
        session.generation = nil
        if let fault, fault(DatabaseOperation(.connect, session)) != .none {
            throw PostgresError(.cannotConnect, "connection to server failed: Connection refused")
        }
        session.generation = generation
    }

    /// Ends all sessions and rolls open transactions back, as a server that is killed does. The publishers' newest
    /// transactions do not wait for the flush of the log.
    ///
    /// - Parameter unflushed: how many of the newest transactions are lost at most, if only publishers committed since.
    public func crash(losing unflushed: Int = 0) {
        endSessions()
        var lost = 0
        while lost < unflushed, undoLog.isNewestAsynchronous {
            undoNewest()
            lost += 1
        }
    }

    /// Undoes the newest transactions and ends all sessions, as when an asynchronous standby takes over.
    ///
    /// - Returns: how many were undone: no more than the limit that was given at the beginning.
    @discardableResult
    public func rollBack(commits: Int) -> Int {
        endSessions()
        let count = min(commits, undoLog.count)
        for _ in 0..<count { undoNewest() }
        return count
    }

    private func endSessions() {
        settle()
        hanging = []
        generation += 1
    }

    private func undoNewest() {
        for change in undoLog.removeNewest().reversed() { _ = tables.apply(change) }
        transactionCount -= 1
    }

    // MARK: Locks

    /// Until when transactions that hang hold the row of a shard, of any shard for nil; nil where none does.
    ///
    /// A session of PostgreSQL waits for the lock, without a timeout unless one was set in the URL. The world asks
    /// before it lets a lane commit, take, renew, or release, and lets it wait. An operation on a locked row is
    /// refused with `55P03`, as if `lock_timeout` was set.
    public func lockedUntil(_ shard: Int32?) -> Instant? {
        settle()
        return hanging.lazy.filter { shard == nil || $0.fence.shard == shard }.map(\.until).max()
    }

    private func isLocked(_ shard: Int32?) -> Bool { hanging.contains { $0.fence.shard == shard } }

    /// Ends transactions that hang and whose time has come. Each operation begins with it.
    public func settle() {
        guard !hanging.isEmpty else { return }
        let now = now()
        let over = hanging.filter { $0.until <= now }
        hanging.removeAll { $0.until <= now }
        for commit in over where commit.isDone {
            isAnswerLost = true
            defer { isAnswerLost = false }
            try? self.commit(commit.batch, commit.fence)
        }
    }

    // MARK: Operations

    /// Runs an operation, or lets it fail as `fault` says.
    func perform<Value>(
        _ kind: DatabaseOperation.Kind,
        _ session: Session,
        shard: Int32? = nil,
        commit: (batch: CommitBatch, fence: ShardFence)? = nil,
        _ body: () throws(CommitError) -> Value
    ) throws(CommitError) -> Value {
        settle()
        guard session.generation == generation else { throw .notConnected }
        if let fault {
            let operation = DatabaseOperation(kind, session, shard: shard, commit: commit)
            try suffer(fault(operation), operation, session, body)
        }
        if kind.locksShard, isLocked(shard) {
            throw .refused("55P03", "canceling statement due to lock timeout")
        }
        return try body()
    }

    /// Throws where the fault concerns the operation.
    private func suffer<Value>(
        _ fault: DatabaseFault,
        _ operation: DatabaseOperation,
        _ session: Session,
        _ body: () throws(CommitError) -> Value
    ) throws(CommitError) {
        switch fault {
        case .none: return
        case .connectionLost:
            session.generation = nil
            throw .lost(readsOnly: true)
        case .answerLost(let isDone):
            try loseAnswer(isDone, operation, session, body)
        case .refused(let sqlState, let constraint):
            throw .refused(sqlState, "refused by the simulation", constraint: constraint)
        case .sessionEnded(let sqlState):
            session.generation = nil
            let message = "terminating connection due to administrator command"
            throw CommitError(PostgresError(.connectionLost, message, sqlState: sqlState))
        case .refusedRun(let runID, let sqlState):
            guard operation.commit?.batch.writes(to: runID) ?? false else { return }
            throw .refused(sqlState, "refused by the simulation")
        case .refusedAbove(let limit, let sqlState):
            guard let batch = operation.commit?.batch, batch.rowCount > limit else { return }
            throw .refused(sqlState, "refused by the simulation")
        case .hangs(let until, let isDone):
            guard let commit = operation.commit, !isLocked(operation.shard) else {
                return try loseAnswer(isDone, operation, session, body)
            }
            // An error of the server is heard: the session hangs behind the last statement.
            try rehearse(commit.batch, commit.fence)
            hanging.append(HangingCommit(batch: commit.batch, fence: commit.fence, until: until, isDone: isDone))
            session.generation = nil
            throw .lost(readsOnly: false)
        }
    }

    private func loseAnswer<Value>(
        _ isDone: Bool,
        _ operation: DatabaseOperation,
        _ session: Session,
        _ body: () throws(CommitError) -> Value
    ) throws(CommitError) {
        session.generation = nil
        if isDone, !(operation.kind.locksShard && isLocked(operation.shard)) {
            isAnswerLost = true
            defer { isAnswerLost = false }
            _ = try? body()
        }
        throw .lost(readsOnly: operation.kind.readsOnly)
    }

    // MARK: Transactions

    /// Changes a row within the transaction that is open.
    func write(_ change: Change) { changes.append(tables.apply(change)) }

    /// Runs `body` as a transaction: all that it writes, or nothing.
    ///
    /// - Parameter isAsynchronous: the commit does not wait for the flush of the log.
    func transaction<Value>(
        isAsynchronous: Bool = false,
        _ body: () throws(CommitError) -> Value
    ) throws(CommitError) -> Value {
        precondition(changes.isEmpty, "a transaction within another")
        do throws(CommitError) {
            let value = try body()
            guard !changes.isEmpty else { return value }
            undoLog.append(changes, isAsynchronous: isAsynchronous)
            changes = []
            transactionCount += 1
            return value
        } catch {
            undoChanges()
            throw error
        }
    }

    /// Throws what a commit would throw, and writes nothing.
    private func rehearse(_ batch: CommitBatch, _ fence: ShardFence) throws(CommitError) {
        defer { undoChanges() }
        _ = try writeRows(of: batch, fence)
    }

    private func undoChanges() {
        for change in changes.reversed() { _ = tables.apply(change) }
        changes = []
    }
}
