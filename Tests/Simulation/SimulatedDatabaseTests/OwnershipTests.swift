import SagamoreEngine
import SagamorePersistence
import SagamorePostgresClient
import SagamoreServices
import Testing

extension DatabaseContract {
    /// Who may write a shard, who may take it, and what moves with its slices.
    @Suite struct Ownership {
        private static let other = ShardOwner(node: "other", process: "other process")

        @Test(arguments: DatabaseKind.allCases)
        func anOlderEpochWritesNothing(_ kind: DatabaseKind) throws {
            let database = try kind.make()
            let older = try database.take()
            var batch = Sample.starts(1)
            batch.outbox = [Sample.record("one")]
            try database.lane.commit(batch, fence: older)
            let newer = try #require(try database.lane.takeShard(0, as: ShardOwner(node: "node", process: "next")))
            #expect(newer == TakenShard(epoch: 2, outboxSequence: 1, commitCount: 1, formatLevel: 5))
            let rows = try database.rows()
            #expect(database.refusal(Sample.starts(2), older) == "fenced - - -")
            let nowhere = ShardFence(shard: 7, epoch: 0, outboxSequence: 0)
            #expect(database.refusal(Sample.starts(2), nowhere) == "fenced - - -")
            #expect(try !database.lane.renewLease(0, as: Sample.owner, epoch: older.epoch))
            #expect(try database.lane.retakeShard(0, as: Sample.owner, epoch: older.epoch) == nil)
            try database.lane.releaseShard(0, epoch: older.epoch)
            #expect(try database.rows() == rows)
            // The number of a record decides where it is stored; the row of the shard counts for itself.
            let twice = ShardFence(shard: 0, epoch: 2, outboxSequence: 0)
            #expect(database.refusal(batch, twice) == "data 23505 alarms_pkey 1")
            #expect(
                database.refusal(Sample.batch { $0.outbox = batch.outbox }, twice) == "data 23505 outbox_pkey 1"
            )
        }

        @Test(arguments: DatabaseKind.allCases)
        func aShardIsTakenWhenItsLeaseHasLapsed(_ kind: DatabaseKind) throws {
            let database = try kind.make()
            _ = try database.take()
            #expect(try database.lane.takeShard(0, as: Self.other) == nil)
            try database.pass(seconds: 2)
            #expect(try database.lane.renewLease(0, as: Sample.owner, epoch: 1))
            try database.pass(seconds: 3)
            #expect(try database.lane.takeShard(0, as: Self.other) == nil)
            // The same node's next process need not wait.
            #expect(try database.lane.takeShard(0, as: ShardOwner(node: "node", process: "next"))?.epoch == 2)
            try database.pass(seconds: 5)
            #expect(try database.lane.takeShard(0, as: Self.other)?.epoch == 3)
            // Given back, it is free at once.
            try database.lane.releaseShard(0, epoch: 3)
            #expect(try database.lane.standing(of: 0) == ShardOwner(node: "other", process: "", sliceVersion: 1))
            #expect(try database.lane.takeShard(0, as: Sample.owner)?.epoch == 4)
            #expect(try database.lane.retakeShard(0, as: Sample.owner, epoch: 3)?.epoch == 5)
            #expect(try database.lane.retakeShard(0, as: Sample.owner, epoch: 6) == nil)
            #expect(try database.lane.epoch(of: 0) == 5)
        }

        @Test(arguments: DatabaseKind.allCases)
        func aShardThatIsNotThere(_ kind: DatabaseKind) throws {
            let database = try kind.make()
            #expect(try database.lane.takeShard(1, as: Sample.owner) == nil)
            #expect(try database.lane.standing(of: 1) == nil)
            #expect(try database.lane.epoch(of: 1) == 0)
            try database.lane.releaseShard(1, epoch: 0)
            #expect(try !database.lane.renewLease(1, as: Sample.owner, epoch: 0))
            #expect(try database.outbox.standing(of: 1) == ShardStanding(isOwned: false, outboxSequence: 0))
        }

        @Test(arguments: DatabaseKind.allCases)
        func numbersThatAnOwnerLeavesOut(_ kind: DatabaseKind) throws {
            let database = try kind.make()
            func take() throws -> ShardFence {
                let owner = ShardOwner(node: "node", process: Sample.owner.process, leavesNumbersOut: true)
                let taken = try #require(try database.lane.takeShard(0, as: owner))
                return ShardFence(shard: 0, epoch: taken.epoch, outboxSequence: taken.outboxSequence)
            }
            var numbers: [Int64] = []
            for round in 0..<3 {
                let fence = try take()
                let found = numbers.last ?? 0
                #expect(fence.outboxSequence >= found + 1_000_000)
                let next = try take()
                #expect(next.outboxSequence > fence.outboxSequence)
                let standing = try database.outbox.standing(of: 0)
                #expect(standing.leftOut == (found + 1)...next.outboxSequence, "the first one wrote nothing")
                try database.lane.commit(Sample.batch { $0.outbox = [Sample.record("\(round)")] }, fence: next)
                let query = OutboxQuery(shard: 0, topics: .allBut([]), after: 0, rowLimit: 9, byteLimit: 999)
                numbers = try database.outbox.read(query).map(\.sequence)
                #expect(numbers.last == next.outboxSequence + 1 && numbers.count == round + 1)
            }
            let last = try #require(numbers.last)
            let taken = try #require(try database.lane.takeShard(0, as: Sample.owner))
            #expect(taken.outboxSequence == last, "without numbers left out")
            let expected = ShardStanding(isOwned: true, outboxSequence: last)
            #expect(try database.outbox.standing(of: 0) == expected)
        }

        @Test(arguments: DatabaseKind.allCases)
        func aNewerFormatIsNotTaken(_ kind: DatabaseKind) throws {
            let database = try kind.make()
            try database.setFormatLevel(999)
            let found = failure { () throws(CommitError) in _ = try database.lane.takeShard(0, as: Sample.owner) }
            #expect(found?.kind == "permanent" && found?.code == "usage" && found?.sqlState == nil)
            try database.setFormatLevel(1)
            #expect(try database.lane.takeShard(0, as: Sample.owner)?.formatLevel == 1)
        }

        @Test(arguments: DatabaseKind.allCases)
        func recordsWaitForOlderOnesOfTheirSlices(_ kind: DatabaseKind) throws {
            let database = try kind.make()
            let fence = try database.take()
            func rebalance(_ count: Int) throws -> [Int] {
                let outcome = try database.rebalance(shardCount: count)
                return [outcome.previousCount, outcome.movedSlices]
            }
            func mayWait(_ shard: Int32) throws -> [Bool] {
                let query = OutboxQuery(shard: shard, topics: .allBut([]), after: 0, rowLimit: 9, byteLimit: 1 << 20)
                return try database.outbox.read(query).map(\.mayWait)
            }
            let records = Sample.batch { $0.outbox = [Sample.record("one"), Sample.record("two")] }
            try database.lane.commit(records, fence: fence)
            #expect(try rebalance(2) == [1, 2_048])
            #expect(database.refusal(records, fence) == "fenced - - -")
            // Who goes by the old table takes nothing, not even what it had.
            #expect(try database.lane.takeShard(0, as: Sample.owner) == nil)
            #expect(try database.lane.retakeShard(0, as: Sample.owner, epoch: 1) == nil)
            #expect(try database.outbox.waits(of: 0) == [:])
            #expect(try database.outbox.waits(of: 1) == ["events": 0])
            #expect(try rebalance(3) == [2, 1_365])
            #expect(try database.outbox.waits(of: 2) == ["events": 0])
            let owner = ShardOwner(
                node: "node",
                process: "process",
                sliceVersion: try database.loader.sliceTable().version
            )
            let taken = try #require(try database.lane.takeShard(2, as: owner))
            let third = Sample.batch { $0.outbox = [Sample.record("three")] }
            let last = ShardFence(shard: 2, epoch: taken.epoch, outboxSequence: taken.outboxSequence)
            try database.lane.commit(third, fence: last)
            #expect(try mayWait(2) == [true])
            #expect(try mayWait(0) == [false, false])
            #expect(try rebalance(1) == [3, 2_730])
            #expect(try rebalance(1) == [1, 0])
            #expect(try database.outbox.waits(of: 0) == ["events": 2])
            let table = try database.loader.sliceTable()
            #expect(table.usedShardCount == 1 && table.shardCount == 3 && table.version >> 32 == 3)
            let rows = try database.rows().filter { $0.hasPrefix("outbox_waits") }
            #expect(rows == ["outbox_waits: 0|2|2|1", "outbox_waits: 1|0|0|2", "outbox_waits: 2|0|0|2"])

            let first = OutboxRange(shard: 0, topic: "events", after: 0, through: 2)
            #expect(try database.outbox.delete(first, limit: 1) == 1)
            #expect(try database.outbox.waits(of: 2) == ["events": 0])
            #expect(try database.outbox.delete(first, limit: 1) == 2)
            #expect(try database.outbox.delete(first, limit: 1) == nil)
            #expect(try database.outbox.waits(of: 2) == [:])
            #expect(try mayWait(2) == [false])
            let rest = OutboxRange(shard: 2, topic: "events", after: 0, through: 1)
            #expect(try database.outbox.delete(rest, limit: 9) == 1)
            #expect(try database.outbox.waits(of: 0) == [:] && database.outbox.waits(of: 1) == [:])
            #expect(try database.rows().filter { $0.hasPrefix("outbox_waits") } == [])
            #expect(try database.loader.sliceTable().shardCount == 1)
            #expect(throws: PostgresError.self) { try database.rebalance(shardCount: 0) }
            #expect(throws: PostgresError.self) { try database.rebalance(shardCount: 1_025) }
        }
    }
}
