import Foundation
import SagamoreEngine
import SagamorePersistence
import SagamorePostgresClient
import SagamoreServices
import Testing

extension PersistenceTests {
    /// Who may write, and who may take a shard.
    @Suite struct Fence {
        private static func batch(_ number: Int) -> CommitBatch {
            var batch = CommitBatch()
            batch.newRuns = [Storage.run(number)]
            batch.journal = [Storage.journal(number, 1, first: 1, events: [1])]
            batch.alarms = [Storage.alarm(number, .insert(.active))]
            batch.outbox = [OutboxRecord(topic: "saga.events", key: [1], value: nil, headers: [])]
            return batch
        }

        private func failure(_ body: () throws(CommitError) -> Void) -> CommitError? {
            do throws(CommitError) {
                try body()
                return nil
            } catch {
                return error
            }
        }

        @Test func aStaleEpochWritesNothing() throws {
            let storage = try Storage()
            let older = try storage.take()
            try storage.lane.commit(Self.batch(1), fence: older)
            let newer = try storage.take(ShardOwner(node: "node", process: "another"))
            #expect(newer.epoch == older.epoch + 1 && newer.outboxSequence == 1)
            let late = ShardFence(shard: 0, epoch: older.epoch, outboxSequence: 1)
            guard
                case .fenced = failure({ () throws(CommitError) in try storage.lane.commit(Self.batch(2), fence: late) }
                )
            else { return #expect(Bool(false), "not fenced") }
            #expect(try storage.number("select count(*) from sagamore.runs") == 1)
            #expect(try storage.number("select outbox_sequence from sagamore.shards") == 1)
            #expect(try storage.lane.renewLease(0, as: Storage.owner, epoch: older.epoch) == false)
            #expect(try storage.lane.retakeShard(0, as: Storage.owner, epoch: older.epoch) == nil)
            // Releasing the older epoch does not release the newer one.
            try storage.lane.releaseShard(0, epoch: older.epoch)
            try storage.lane.commit(Self.batch(3), fence: newer)
            #expect(try storage.number("select count(*) from sagamore.outbox") == 2)
        }

        @Test func aShardIsTakenWhenItsLeaseHasLapsedForTwoSeconds() throws {
            let storage = try Storage()
            _ = try storage.take()
            let other = ShardOwner(node: "other", process: "other process")
            func lapse(_ interval: String) throws {
                try storage.session.execute("update sagamore.shards set lease_until = now() - interval '\(interval)'")
            }
            #expect(try storage.lane.takeShard(0, as: other) == nil)
            try lapse("1.5 seconds")
            #expect(try storage.lane.takeShard(0, as: other) == nil)
            // The next process of the same node does not wait.
            #expect(try storage.lane.takeShard(0, as: ShardOwner(node: "node", process: "next")) != nil)
            try lapse("2.5 seconds")
            #expect(try storage.lane.takeShard(0, as: other)?.epoch == 3)
            // A released shard is free at once.
            try storage.lane.releaseShard(0, epoch: 3)
            #expect(try storage.lane.takeShard(0, as: Storage.owner)?.epoch == 4)
        }

        @Test func aRenewedLeaseKeepsOthersOut() throws {
            let storage = try Storage()
            let fence = try storage.take()
            try storage.session.execute("update sagamore.shards set lease_until = now() - interval '1 minute'")
            #expect(try storage.lane.renewLease(0, as: Storage.owner, epoch: fence.epoch))
            #expect(try storage.lane.takeShard(0, as: ShardOwner(node: "other", process: "other")) == nil)
        }

        @Test func anOwnerRetakesItsShardAfterARetakeWhoseAnswerWasLost() throws {
            let storage = try Storage()
            let fence = try storage.take()
            // The first attempt reached the database, but its answer was lost.
            _ = try storage.lane.retakeShard(0, as: Storage.owner, epoch: fence.epoch)
            let again = try #require(try storage.lane.retakeShard(0, as: Storage.owner, epoch: fence.epoch))
            #expect(again.epoch == fence.epoch + 2)
        }

        /// The row's lock makes the new owner wait for an undecided transaction of the old owner.
        @Test func aTakeoverWaitsForATransactionInDoubt() throws {
            let storage = try Storage()
            let fence = try storage.take()
            try storage.session.execute("begin; select sagamore.fence(0, \(fence.epoch), 1)")
            let url = storage.url
            let helper = Helper {
                let lane = try? Storage.lane(url)
                _ = try? lane?.takeShard(0, as: ShardOwner(node: "node", process: "next"))
            }
            let observer = try connect(url)
            let waits = PostgresStatement(
                "waits",
                "select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'",
                readsOnly: true
            )
            while try observer.query(waits).int64(0, 0) == 0 { usleep(1_000) }
            try storage.session.execute("commit")
            helper.join()
            let shard = PostgresStatement(
                "shard",
                "select epoch, outbox_sequence from sagamore.shards",
                readsOnly: true
            )
            let row = try observer.query(shard)
            #expect(row.int64(0, 0) == fence.epoch + 1 && row.int64(0, 1) == 1)
        }

        /// The client has stopped, or lost its network, after it called the fence.
        @Test func aSilentOwnerHoldsItsShardForSecondsOnly() throws {
            let storage = try Storage()
            let silent = try PostgresConnection(
                storage.url,
                applicationName: "silent",
                sessionSettings: SessionSettings.lane
            )
            let fence = try storage.take()
            try silent.execute("begin; select sagamore.fence(0, \(fence.epoch), 1)")
            let next = try Storage.lane(storage.url)
            try storage.session.execute("set statement_timeout = '20s'")
            let begin = ContinuousClock.now
            // This statement waits for the row's lock. Its own timeout ends a wait that would not end.
            try storage.session.execute("update sagamore.shards set lease_until = '-infinity', owner = '' where id = 0")
            #expect(ContinuousClock.now - begin < .seconds(15))
            let taken = try #require(try next.takeShard(0, as: ShardOwner(node: "other", process: "other")))
            #expect(taken.outboxSequence == 0 && taken.commitCount == 0)
            #expect(throws: PostgresError.self) { try silent.execute("commit") }
        }

        @Test func everyCommitIsCounted() throws {
            let storage = try Storage()
            let fence = try storage.take()
            try storage.lane.commit(Self.batch(1), fence: fence)
            var second = Self.batch(2)
            second.outbox = []
            try storage.lane.commit(second, fence: fence)
            let taken = try #require(try storage.lane.retakeShard(0, as: Storage.owner, epoch: fence.epoch))
            #expect(taken == TakenShard(epoch: fence.epoch + 1, outboxSequence: 1, commitCount: 2, formatLevel: 5))
            #expect(try storage.lane.epoch(of: 0) == fence.epoch + 1)
        }

        @Test func numbersOfRecordsBeginAtTheClock() throws {
            let storage = try Storage()
            let owner = ShardOwner(node: "node", process: "process", leavesNumbersOut: true)
            let taken = try #require(try storage.lane.takeShard(0, as: owner))
            let now = try storage.number("select (extract(epoch from now()) * 1000000)::bigint")
            #expect((0..<60_000_000).contains(now - taken.outboxSequence), "\(taken.outboxSequence) at \(now)")
            try storage.session.execute("update sagamore.shards set outbox_sequence = \(now) + 3600000000")
            let next = try #require(try storage.lane.takeShard(0, as: owner))
            #expect(next.outboxSequence == now + 3_601_000_000, "the clock was ahead")
        }

        @Test func shardsDoNotFenceEachOther() throws {
            let storage = try Storage(shards: 2)
            let first = try storage.take()
            let taken = try #require(try storage.lane.takeShard(1, as: ShardOwner(node: "other", process: "other")))
            try storage.lane.commit(Self.batch(1), fence: first)
            let batch = Self.batch(2)
            try storage.lane.commit(batch, fence: ShardFence(shard: 1, epoch: taken.epoch, outboxSequence: 0))
            #expect(try storage.number("select count(*) from sagamore.outbox where sequence = 1") == 2)
        }
    }
}
