import SagamoreEngine
import SagamorePersistence
import SagamorePostgresClient
import SagamoreServices
import SagamoreSimulatedDatabase
import Testing

/// Faults of the simulated database, and what it undoes.
@Suite struct FaultTests {
    private let world = World()

    private final class World {
        var now = Sample.noon
        var fault = DatabaseFault.none
        lazy var database = SimulatedDatabase(shardCount: 1, undoLimit: 4) { [unowned self] in now }

        func lane() throws -> SimulatedLaneStore {
            database.fault = { [unowned self] operation in
                defer { fault = .none }
                return fault
            }
            return try database.laneStore(of: "process")
        }
    }

    private func owned() throws -> (lane: SimulatedLaneStore, fence: ShardFence) {
        let lane = try world.lane()
        let taken = try #require(try lane.takeShard(0, as: Sample.owner))
        return (lane, ShardFence(shard: 0, epoch: taken.epoch, outboxSequence: 0))
    }

    private func fail(_ fault: DatabaseFault, _ body: () throws(CommitError) -> Void) -> String? {
        world.fault = fault
        return failure(body).map { [$0.kind, $0.code, $0.sqlState].map { $0 ?? "-" }.joined(separator: " ") }
    }

    @Test(arguments: [true, false])
    func anAnswerThatIsLost(_ isDone: Bool) throws {
        let (lane, fence) = try owned()
        let found = fail(.answerLost(isDone: isDone)) { () throws(CommitError) in
            try lane.commit(Sample.starts(1), fence: fence)
        }
        #expect(found == "outcomeUnknown outcomeUnknown -")
        #expect((world.database.run(Sample.runID(1)) != nil) == isDone)
        #expect(fail(.none) { () throws(CommitError) in _ = try lane.epoch(of: 0) } == "transient connectionLost -")
        let refused = fail(.connectionLost) { () throws(CommitError) in try lane.reconnect() }
        #expect(refused == "transient cannotConnect -")
        try lane.reconnect()
        #expect(try lane.retakeShard(0, as: Sample.owner, epoch: 1)?.commitCount == (isDone ? 1 : 0))
        // What only reads is not in doubt.
        let read = fail(.answerLost(isDone: isDone)) { () throws(CommitError) in _ = try lane.epoch(of: 0) }
        #expect(read == "transient connectionLost -")
    }

    @Test func refusals() throws {
        let (lane, fence) = try owned()
        let commit = { () throws(CommitError) in try lane.commit(Sample.starts(1, 2), fence: fence) }
        #expect(fail(.tableMissing, commit) == "misconfigured server 42P01")
        #expect(fail(.refused(sqlState: "22003"), commit) == "data server 22003")
        #expect(fail(.refused(sqlState: "25006"), commit) == "transient server 25006")
        let row = DatabaseFault.refusedRun(Sample.runID(2), sqlState: "22003")
        #expect(fail(row, commit) == "data server 22003")
        #expect(fail(.refusedAbove(rows: 5, sqlState: "53200"), commit) == "transient server 53200")
        #expect(world.database.runCount == 0)
        try lane.commit(Sample.starts(3), fence: fence)
        #expect(fail(row) { () throws(CommitError) in try lane.commit(Sample.starts(4), fence: fence) } == nil)
        #expect(fail(.refusedAbove(rows: 6, sqlState: "53200"), commit) == nil)
        #expect(world.database.runCount == 4)
        #expect(fail(.sessionEnded(sqlState: "57P01"), commit) == "transient connectionLost 57P01")
        #expect(fail(.none, commit) == "transient connectionLost -")
    }

    @Test(arguments: [true, false])
    func aCommitThatHangsHoldsItsShard(_ isDone: Bool) throws {
        let (lane, fence) = try owned()
        let until = world.now + .seconds(10)
        let found = fail(.hangs(until: until, isDone: isDone)) { () throws(CommitError) in
            try lane.commit(Sample.starts(1), fence: fence)
        }
        #expect(found == "outcomeUnknown outcomeUnknown -")
        #expect(world.database.lockedUntil(0) == until && world.database.lockedUntil(1) == nil)
        #expect(world.database.run(Sample.runID(1)) == nil)
        try lane.reconnect()
        let retake = { () throws(CommitError) in _ = try lane.retakeShard(0, as: Sample.owner, epoch: 1) }
        #expect(fail(.none, retake) == "transient server 55P03")
        #expect(try lane.epoch(of: 0) == 1)
        world.now = until
        #expect(world.database.lockedUntil(0) == nil)
        #expect(try lane.retakeShard(0, as: Sample.owner, epoch: 1)?.commitCount == (isDone ? 1 : 0))
        #expect((world.database.run(Sample.runID(1)) != nil) == isDone)
    }

    @Test func aCommitThatIsRefusedDoesNotHang() throws {
        let (lane, fence) = try owned()
        try lane.commit(Sample.starts(1), fence: fence)
        let found = fail(.hangs(until: .distantFuture, isDone: true)) { () throws(CommitError) in
            try lane.commit(Sample.starts(1), fence: fence)
        }
        #expect(found == "data server 23505")
        #expect(world.database.lockedUntil(nil) == nil)
    }

    @Test func theNewestTransactionsAreUndone() throws {
        let (lane, fence) = try owned()
        try lane.commit(Sample.starts(1), fence: fence)
        let rows = (world.database.shards, world.database.runs, world.database.journal(of: Sample.runID(1)))
        let change = Sample.batch {
            $0.closedRuns = [Sample.closing(1)]
            $0.alarms = [Sample.alarm(1, .remove)]
            $0.journal = [Sample.journal(1, 2, first: 3, events: [], facts: [1])]
            $0.outbox = [Sample.record("one")]
        }
        try lane.commit(change, fence: fence)
        #expect(world.database.openRuns == [])
        #expect(world.database.rollBack(commits: 1) == 1)
        #expect(world.database.shards == rows.0 && world.database.runs == rows.1)
        #expect(world.database.journal(of: Sample.runID(1)) == rows.2)
        #expect(world.database.openRuns == [Sample.runID(1)] && world.database.outboxCount == 0)
        #expect(fail(.none) { () throws(CommitError) in _ = try lane.epoch(of: 0) } == "transient connectionLost -")
        try lane.reconnect()
        for number in 2...20 { try lane.commit(Sample.starts(number), fence: fence) }
        #expect(world.database.transactionCount == 21)
        #expect(world.database.rollBack(commits: 9) == 4, "no more than the limit")
        #expect(world.database.runs.map(\.runID) == (1...16).map(Sample.runID))
    }

    /// Publishers do not wait for the flush of the log, lanes do.
    @Test func aCrashLosesWhatWasNotFlushed() throws {
        let (lane, fence) = try owned()
        let outbox = try world.database.outboxStore(process: "process")
        try outbox.record(["a": 1], of: 0)
        try lane.commit(Sample.starts(1), fence: fence)
        try outbox.record(["a": 2], of: 0)
        try outbox.record(["a": 3], of: 0)
        world.database.crash(losing: 1)
        #expect(world.database.positions(of: 0).map(\.sequence) == [2])
        world.database.crash(losing: 9)
        #expect(world.database.positions(of: 0).map(\.sequence) == [1])
        #expect(world.database.runCount == 1)
    }

    // MARK: Planted bugs

    @Test func aFenceThatReturns() throws {
        let (lane, fence) = try owned()
        _ = try lane.takeShard(0, as: Sample.owner)
        world.database.plantedBugs = [.fenceThatReturns]
        try lane.commit(Sample.starts(1), fence: fence)
        #expect(world.database.runCount == 1 && world.database.shards[0].commitCount == 0)
    }

    @Test func anInboxRowInAnotherTransaction() throws {
        let (lane, fence) = try owned()
        world.database.plantedBugs = [.inboxInAnotherTransaction]
        var batch = Sample.starts(1)
        batch.inbox = [Sample.inbox(1, "command")]
        world.fault = .answerLost(isDone: true)
        #expect(throws: CommitError.self) { try lane.commit(batch, fence: fence) }
        #expect(world.database.runCount == 1 && world.database.inbox == [])
        try lane.reconnect()
        var second = Sample.starts(2)
        second.inbox = [Sample.inbox(2, "command")]
        try lane.commit(second, fence: fence)
        #expect(world.database.inbox.count == 1)
        world.database.rollBack(commits: 1)
        #expect(world.database.runCount == 2 && world.database.inbox == [])
    }

    @Test func anAlarmLostAtParking() throws {
        let (lane, fence) = try owned()
        try lane.commit(Sample.starts(1), fence: fence)
        world.database.plantedBugs = [.alarmLostAtParking]
        let parking = Sample.batch { $0.alarms = [Sample.alarm(1, .set(AlarmValue(at: Sample.noon)))] }
        try lane.commit(parking, fence: fence)
        #expect(world.database.alarm(of: Sample.runID(1))?.at == nil)
    }

    /// What a checker of a world sees.
    @Test func everyCommitIsTold() throws {
        let (lane, fence) = try owned()
        var told: [Int] = []
        world.database.onCommit = { batch, _ in told.append(batch.newRuns.count) }
        try lane.commit(Sample.starts(1, 2), fence: fence)
        #expect(throws: CommitError.self) { try lane.commit(Sample.starts(1), fence: fence) }
        world.fault = .answerLost(isDone: true)
        #expect(throws: CommitError.self) { try lane.commit(Sample.starts(3), fence: fence) }
        #expect(told == [2, 1])
    }
}
