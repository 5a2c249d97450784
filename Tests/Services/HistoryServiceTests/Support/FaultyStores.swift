import Foundation
import SagamoreEngine
import SagamorePersistence
import SagamorePostgresClient

/// Faults between a node and its database, as a test injects them.
final class Faults: @unchecked Sendable {
    enum Cut: Equatable {
        /// The connection is lost before the commit is sent.
        case before
        /// The connection is lost after the commit was sent, and the transaction was not committed.
        case unknownAndAbsent
        /// The connection is lost after the commit was sent, and the transaction was committed.
        case unknownAndThere
    }

    /// Calls of a loader.
    enum LoaderCall {
        case lookUp, waitingQueues, erase, history
    }

    /// Points where a test can stop a loader.
    enum LoaderPoint {
        /// Rows of parked runs were read, and not handled yet.
        case parkedRunsRead
        /// Journals are about to be read.
        case journals
    }

    private let condition = NSCondition()
    private var isHeld = false
    private var waitingCount = 0
    private var passes = 0
    private var cuts: [Cut?] = []
    private var retakeCuts: [Cut] = []
    private var dead = false
    private var alter: (@Sendable (inout CommitBatch) -> Void)?
    private var isLoaderDown = false
    private var isLoaderHeld = false
    private var heldCall: LoaderCall?
    private var isLoaderWaiting = false
    private var heldPoint: LoaderPoint?
    private var reachedPoint: LoaderPoint?
    private var pages: [Int] = []
    private var beats: [Int] = []
    private var histories: [SagamorePersistence.JournalRow] = []
    private var failingCalls: [LoaderCall] = []
    private var remembersBatches = true
    private var history: [CommitBatch] = []

    private func locked<Value>(_ body: () -> Value) -> Value {
        condition.lock()
        defer { condition.unlock() }
        return body()
    }

    /// Holds commits until `letGo`.
    func hold() { locked { isHeld = true } }

    /// Lets the held commit pass, and holds the next one.
    func letOneGo() {
        locked {
            passes += 1
            condition.broadcast()
        }
    }

    func letGo() {
        locked {
            isHeld = false
            passes = 0
            condition.broadcast()
        }
    }

    /// Whether a commit is held.
    var isHolding: Bool { locked { waitingCount > 0 } }

    /// Cuts the next commits, one for each element; nil lets one pass.
    func cut(_ cuts: Cut?...) { locked { self.cuts += cuts } }
    func cutRetakes(_ cuts: Cut...) { locked { retakeCuts += cuts } }
    var hasCuts: Bool { locked { !cuts.isEmpty || !retakeCuts.isEmpty } }

    /// Changes each batch before it is written.
    func corrupt(_ alter: (@Sendable (inout CommitBatch) -> Void)?) { locked { self.alter = alter } }

    /// Takes the database away from the loader, or gives it back.
    func loaderIsDown(_ isDown: Bool) { locked { isLoaderDown = isDown } }

    /// Holds the loader's calls, or those of one kind, until `letLoaderGo`.
    func holdLoader(at call: LoaderCall? = nil) {
        locked {
            isLoaderHeld = true
            heldCall = call
        }
    }

    /// Stops the loader at this point, until it is let go or another point is set.
    func holdLoader(at point: LoaderPoint) {
        locked {
            heldPoint = point
            condition.broadcast()
        }
    }

    /// Whether the loader is stopped at the point.
    func isLoaderHolding(at point: LoaderPoint) -> Bool { locked { reachedPoint == point } }

    func passLoader(_ point: LoaderPoint) {
        locked {
            while heldPoint == point {
                reachedPoint = point
                condition.wait()
            }
            reachedPoint = nil
        }
    }

    /// The sizes in bytes of the pages of journals that were read.
    var journalPages: [Int] { locked { pages } }

    func notePage(_ page: JournalPage) {
        locked { pages.append(page.parts.reduce(0) { $0 + $1.byteCount }) }
    }

    /// The rows of histories that were read.
    var historyRows: [SagamorePersistence.JournalRow] { locked { histories } }

    func noteHistory(_ rows: [SagamorePersistence.JournalRow]) {
        locked { if remembersBatches { histories += rows } }
    }

    /// The sizes in bytes of the pages of heartbeats that were read.
    var heartbeatPages: [Int] { locked { beats } }

    func notePage(_ page: HeartbeatPage) {
        locked { beats.append(page.rows.reduce(0) { $0 + $1.details.count }) }
    }

    func letLoaderGo() {
        locked {
            isLoaderHeld = false
            heldPoint = nil
            condition.broadcast()
        }
    }

    /// Whether a call of the loader is held.
    var isLoaderHolding: Bool { locked { isLoaderWaiting } }

    /// Fails the next call of this kind before it reaches the database.
    func failOnce(_ call: LoaderCall) { locked { failingCalls.append(call) } }

    /// The process is killed: nothing that it does has an effect from now on.
    func kill() {
        locked {
            dead = true
            isHeld = false
            isLoaderHeld = false
            heldPoint = nil
            condition.broadcast()
        }
    }

    /// The committed batches.
    var committed: [CommitBatch] { locked { history } }

    static let lost = PostgresError(.connectionLost, "cut by the test")

    func checkAlive() throws(CommitError) {
        if locked({ dead }) { throw .fenced }
    }

    func checkLoader(_ call: LoaderCall? = nil) throws(CommitError) {
        let fails = locked { () -> Bool in
            while isLoaderHeld, heldCall == nil || heldCall == call {
                isLoaderWaiting = true
                condition.wait()
            }
            isLoaderWaiting = false
            if let call, let index = failingCalls.firstIndex(of: call) {
                failingCalls.remove(at: index)
                return true
            }
            return dead || isLoaderDown
        }
        if fails { throw .transient(Self.lost) }
    }

    func takeRetakeCut() -> Cut? { locked { retakeCuts.isEmpty ? nil : retakeCuts.removeFirst() } }

    /// Waits while commits are held. Returns what to do with the batch.
    func pass(_ batch: inout CommitBatch) throws(CommitError) -> Cut? {
        let (cut, change) = locked {
            waitingCount += 1
            while isHeld, passes == 0 { condition.wait() }
            passes = max(0, passes - 1)
            waitingCount -= 1
            return (cuts.isEmpty ? nil : cuts.removeFirst(), alter)
        }
        try checkAlive()
        change?(&batch)
        return cut
    }

    /// Stops recording batches, which would fill the memory.
    func forgetBatches() {
        locked {
            remembersBatches = false
            history = []
            histories = []
        }
    }

    func note(_ batch: CommitBatch) { locked { if remembersBatches { history.append(batch) } } }
}

/// The real lane store, with faults.
final class FaultyLaneStore: LaneStore {
    private let store: PostgresLaneStore
    private let faults: Faults

    init(_ store: PostgresLaneStore, _ faults: Faults) {
        self.store = store
        self.faults = faults
    }

    func commit(_ original: CommitBatch, fence: ShardFence) throws(CommitError) {
        var batch = original
        let unknown = PostgresError(.outcomeUnknown, "cut by the test")
        switch try faults.pass(&batch) {
        case .before: throw .transient(Faults.lost)
        case .unknownAndAbsent: throw .outcomeUnknown(unknown)
        case .unknownAndThere:
            try store.commit(batch, fence: fence)
            faults.note(batch)
            throw .outcomeUnknown(unknown)
        case nil:
            try store.commit(batch, fence: fence)
            faults.note(batch)
        }
    }

    func takeShard(_ shard: Int32, as owner: ShardOwner) throws(CommitError) -> TakenShard? {
        try faults.checkAlive()
        return try store.takeShard(shard, as: owner)
    }

    func retakeShard(_ shard: Int32, as owner: ShardOwner, epoch: Int64) throws(CommitError) -> TakenShard? {
        try faults.checkAlive()
        let cut = faults.takeRetakeCut()
        if cut == .before || cut == .unknownAndAbsent { throw .transient(Faults.lost) }
        let taken = try store.retakeShard(shard, as: owner, epoch: epoch)
        if cut == .unknownAndThere { throw .outcomeUnknown(PostgresError(.outcomeUnknown, "cut by the test")) }
        return taken
    }

    func standing(of shard: Int32) throws(CommitError) -> ShardOwner? {
        try faults.checkAlive()
        return try store.standing(of: shard)
    }

    func epoch(of shard: Int32) throws(CommitError) -> Int64 {
        try faults.checkAlive()
        return try store.epoch(of: shard)
    }

    func renewLease(_ shard: Int32, as owner: ShardOwner, epoch: Int64) throws(CommitError) -> Bool {
        try faults.checkAlive()
        return try store.renewLease(shard, as: owner, epoch: epoch)
    }

    func releaseShard(_ shard: Int32, epoch: Int64) throws(CommitError) {
        try faults.checkAlive()
        try store.releaseShard(shard, epoch: epoch)
    }

    func isCommitted(runID: RunID, sequence: Int64) throws(CommitError) -> Bool {
        try faults.checkAlive()
        return try store.isCommitted(runID: runID, sequence: sequence)
    }

    func isCommitted(_ row: InboxRow) throws(CommitError) -> Bool {
        try faults.checkAlive()
        return try store.isCommitted(row)
    }

    func reconnect() throws(CommitError) {
        try faults.checkAlive()
        try store.reconnect()
    }
}

/// The real loader store, with faults.
final class FaultyLoaderStore: LoaderStore {
    private let store: PostgresLoaderStore
    private let faults: Faults

    init(_ store: PostgresLoaderStore, _ faults: Faults) {
        self.store = store
        self.faults = faults
    }

    func sliceTable() throws(CommitError) -> SliceTable {
        try faults.checkLoader()
        return try store.sliceTable()
    }

    func lookUp(_ questions: [LookUp]) throws(CommitError) -> [LookUpAnswer] {
        try faults.checkLoader(.lookUp)
        return try store.lookUp(questions)
    }

    func loadJournals(
        _ runIDs: [RunID],
        after position: JournalPosition,
        byteLimit: Int
    ) throws(CommitError) -> JournalPage {
        try faults.checkLoader()
        faults.passLoader(.journals)
        let page = try store.loadJournals(runIDs, after: position, byteLimit: byteLimit)
        faults.notePage(page)
        return page
    }

    func journalContains(_ bytes: [UInt8], of runID: RunID) throws(CommitError) -> Bool {
        try faults.checkLoader()
        return try store.journalContains(bytes, of: runID)
    }

    func historyContains(_ bytes: [UInt8], of runID: RunID) throws(CommitError) -> Bool {
        try faults.checkLoader()
        return try store.historyContains(bytes, of: runID)
    }

    func loadHeartbeats(
        _ runIDs: [RunID],
        after position: HeartbeatPosition,
        byteLimit: Int
    ) throws(CommitError) -> HeartbeatPage {
        try faults.checkLoader()
        let page = try store.loadHeartbeats(runIDs, after: position, byteLimit: byteLimit)
        faults.notePage(page)
        return page
    }

    func retentions() throws(CommitError) -> [Int32: Interval] {
        try faults.checkLoader()
        return try store.retentions()
    }

    func deleteRuns(
        shard: Int32,
        of namespaces: [Int32],
        closedBefore: Instant,
        after first: RunID,
        before end: RunID,
        limit: Int
    ) throws(CommitError) -> RunID? {
        try faults.checkLoader()
        return try store.deleteRuns(
            shard: shard,
            of: namespaces,
            closedBefore: closedBefore,
            after: first,
            before: end,
            limit: limit
        )
    }

    func eraseDeletedRuns(shard: Int32, limit: ErasureLimit) throws(CommitError) -> Bool {
        try faults.checkLoader(.erase)
        return try store.eraseDeletedRuns(shard: shard, limit: limit)
    }

    func deleteTraces(before instant: Instant, limit: Int) throws(CommitError) -> Int {
        try faults.checkLoader()
        return try store.deleteTraces(before: instant, limit: limit)
    }

    func loadRuns(_ runIDs: [RunID]) throws(CommitError) -> [RunID: RunRow] {
        try faults.checkLoader()
        return try store.loadRuns(runIDs)
    }

    func resetRun(of runID: RunID) throws(CommitError) -> RunID? {
        try faults.checkLoader()
        return try store.resetRun(of: runID)
    }

    func activeRuns(shard: Int32, after runID: RunID?, limit: Int) throws(CommitError) -> [RunRow] {
        try faults.checkLoader()
        return try store.activeRuns(shard: shard, after: runID, limit: limit)
    }

    func parkedRuns(
        shard: Int32,
        before instant: Instant,
        after last: (Instant, RunID)?,
        limit: Int
    ) throws(CommitError) -> [(RunRow, Instant)] {
        try faults.checkLoader()
        let rows = try store.parkedRuns(shard: shard, before: instant, after: last, limit: limit)
        faults.passLoader(.parkedRunsRead)
        return rows
    }

    func waitingTasks(
        shard: Int32,
        queue: String,
        limit: Int
    ) throws(CommitError) -> [(run: RunRow, row: BacklogRow)] {
        try faults.checkLoader()
        return try store.waitingTasks(shard: shard, queue: queue, limit: limit)
    }

    func waitingQueues(shard: Int32) throws(CommitError) -> [String] {
        try faults.checkLoader(.waitingQueues)
        return try store.waitingQueues(shard: shard)
    }

    func readHistory(
        _ runID: RunID,
        of workflow: WorkflowKey,
        from eventID: Int64,
        byteLimit: Int
    ) throws(CommitError) -> [JournalRow] {
        try faults.checkLoader(.history)
        let rows = try store.readHistory(runID, of: workflow, from: eventID, byteLimit: byteLimit)
        faults.noteHistory(rows)
        return rows
    }

    func readHistory(
        _ runID: RunID,
        of workflow: WorkflowKey,
        backFrom eventID: Int64,
        byteLimit: Int
    ) throws(CommitError) -> [JournalRow] {
        try faults.checkLoader()
        return try store.readHistory(runID, of: workflow, backFrom: eventID, byteLimit: byteLimit)
    }
}

extension PostgresLoaderStore {
    /// The whole journals of runs, with rows in order.
    func journals(_ runIDs: [RunID]) throws(CommitError) -> [RunID: [SagamorePersistence.JournalRow]] {
        let beginning = JournalPosition(runID: RunID(high: 0, low: 0), sequence: 0)
        let page = try loadJournals(runIDs, after: beginning, byteLimit: .max)
        return Dictionary(grouping: page.rows, by: \.runID)
    }
}

extension JournalPage {
    /// The rows of the journal, without snapshots.
    var rows: [SagamorePersistence.JournalRow] {
        parts.compactMap { part in
            if case .row(let row) = part { row } else { nil }
        }
    }
}
