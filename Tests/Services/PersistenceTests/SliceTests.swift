import SagamoreEngine
import SagamorePersistence
import SagamorePostgresClient
import SagamoreServices
import Testing

/// Which shard owns a workflow, and which slices move when the number of shards changes. Pure.
@Suite struct SliceTableTests {
    @Test(
        arguments: [
            (1, "", 3_347), (1, "2_3", 2_614), (2, "2_3", 3_072), (1, "booking/ä", 1_295), (-1, "x", 1_955),
        ] as [(Int32, String, Int)]
    )
    func theSliceOfAWorkflowNeverChanges(_ namespace: Int32, _ workflowID: String, _ slice: Int) {
        #expect(SliceTable.slice(of: WorkflowKey(namespace: namespace, workflowID: workflowID)) == slice)
    }

    @Test func workflowsAreSpreadEvenlyOverSlices() {
        var counts = [Int](repeating: 0, count: SliceTable.sliceCount)
        for number in 0..<100 * SliceTable.sliceCount {
            counts[SliceTable.slice(of: WorkflowKey(namespace: 1, workflowID: "booking-\(number)"))] += 1
        }
        // Random counts lie within five standard deviations of 100.
        #expect(counts.min() ?? 0 > 50 && counts.max() ?? 0 < 150)
    }

    @Test(arguments: [(1, 4, 3_072), (4, 2, 2_048), (4, 3, 1_024), (3, 4, 1_024), (16, 16, 0), (5, 1, 3_276)])
    func asFewSlicesAsPossibleMove(_ before: Int, _ after: Int, _ count: Int) {
        #expect(SliceTable.even(over: before).moves(over: after).count == count)
    }

    @Test func randomRebalancingStaysEvenAndMovesAsFewSlicesAsPossible() {
        var random = SystemRandomNumberGenerator()
        var table = SliceTable.even(over: 1)
        for _ in 0..<200 {
            let count = Int.random(in: 1...20, using: &random)
            let moves = table.moves(over: count)
            var shards = (0..<SliceTable.sliceCount).map { table[$0] }
            let before = Dictionary(grouping: shards, by: \.self).mapValues(\.count)
            for move in moves {
                #expect(shards[move.slice] == move.from && move.from != move.to)
                shards[move.slice] = move.to
            }
            let sizes = Dictionary(grouping: shards, by: \.self).mapValues(\.count)
            let (least, most) = (SliceTable.sliceCount / count, (SliceTable.sliceCount + count - 1) / count)
            #expect(sizes.keys.sorted() == (0..<Int32(count)).map { $0 })
            #expect(sizes.values.allSatisfy { $0 >= least && $0 <= most })
            // No assignment keeps more slices in place: each remaining shard keeps all it may, and the largest keep one
            // more.
            let kept = (0..<Int32(count)).map { before[$0] ?? 0 }.sorted(by: >).enumerated()
                .reduce(0) { $0 + min($1.element, $1.offset < SliceTable.sliceCount % count ? least + 1 : least) }
            #expect(SliceTable.sliceCount - moves.count == kept)
            table = SliceTable(version: table.version + 1, shardCount: max(table.shardCount, count), shards: shards)
            #expect(table.moves(over: count).isEmpty)
        }
    }
}

extension PersistenceTests {
    /// Changes of the number of shards in the database.
    @Suite struct Rebalancing {
        private static func record(_ text: String) -> OutboxRecord {
            OutboxRecord(topic: "events", key: Array("key".utf8), value: Array(text.utf8), headers: [])
        }

        private static func write(_ storage: Storage, _ fence: ShardFence, _ texts: String...) throws {
            var batch = CommitBatch()
            batch.outbox = texts.map(record)
            try storage.lane.commit(batch, fence: fence)
        }

        @Test func aCommitIsFencedOnceItsSlicesHaveMoved() throws {
            let storage = try Storage(shards: 3)
            let fence = try storage.take()
            let second = try #require(try storage.lane.takeShard(1, as: Storage.owner))
            let outcome = try Migrator.rebalance(storage.session, shardCount: 2)
            #expect(outcome.previousCount == 3 && outcome.movedSlices == 1_365)
            do throws(CommitError) {
                var batch = CommitBatch()
                batch.newRuns = [Storage.run(1)]
                try storage.lane.commit(batch, fence: fence)
                #expect(Bool(false), "a commit of an owner without its slices was written")
            } catch {
                guard case .fenced = error else { return #expect(Bool(false), "\(error)") }
            }
            #expect(try storage.number("select count(*) from sagamore.runs") == 0)
            // An owner with the old table takes no shard, not even one that it had.
            #expect(try storage.lane.takeShard(0, as: Storage.owner) == nil)
            #expect(try storage.lane.retakeShard(1, as: Storage.owner, epoch: second.epoch) == nil)
            let table = try storage.loader.sliceTable()
            #expect(try storage.lane.standing(of: 0)?.sliceVersion == table.version && table.version > 1)
            #expect(table.usedShardCount == 2)
            #expect(try storage.loader.sliceTable().shardCount == 2)
            let again = ShardOwner(node: "node", process: "process", sliceVersion: table.version)
            #expect(try storage.lane.takeShard(0, as: again) != nil)
        }

        @Test func rebalancingToTheSameCountFencesNobody() throws {
            let storage = try Storage(shards: 2)
            _ = try Migrator.rebalance(storage.session, shardCount: 3)
            let epochs = try storage.number("select count(*) from sagamore.shards where epoch = 1")
            #expect(epochs == 3)
            let version = try storage.number("select max(slice_version) from sagamore.shards")
            let outcome = try Migrator.rebalance(storage.session, shardCount: 3)
            #expect(outcome.movedSlices == 0)
            #expect(try storage.number("select count(*) from sagamore.shards where epoch = 1") == 3)
            #expect(try storage.number("select max(slice_version) from sagamore.shards") == version)
            #expect(throws: PostgresError.self) { try Migrator.rebalance(storage.session, shardCount: 0) }
        }

        /// An asynchronous standby takes over that does not have a move, and slices move again.
        @Test func aTableThatTheDatabaseLostHasAVersionOfItsOwn() throws {
            let storage = try Storage(shards: 1)
            _ = try Migrator.rebalance(storage.session, shardCount: 4)
            let lost = try storage.loader.sliceTable()
            try storage.session.execute(
                """
                update sagamore.slices set shard = 0;
                delete from sagamore.shards where id > 0;
                update sagamore.shards set slice_version = 1
                """
            )
            _ = try Migrator.rebalance(storage.session, shardCount: 3)
            #expect(try storage.loader.sliceTable().version != lost.version)
            let owner = ShardOwner(node: "node", process: "process", sliceVersion: lost.version)
            #expect(try storage.lane.takeShard(0, as: owner) == nil)
        }

        /// Slices move on before the records of their first shard are published.
        @Test func recordsWaitForOlderRecordsOfTheirSlices() throws {
            let storage = try Storage()
            let outbox = PostgresOutboxStore(try connect(storage.url), process: "process")
            func waits(_ shard: Int32) throws -> [String: Int64] { try outbox.waits(of: shard) }
            func mayWait(_ shard: Int32) throws -> [Bool] {
                let query = OutboxQuery(shard: shard, topics: .allBut([]), after: 0, rowLimit: 9, byteLimit: 1 << 20)
                return try outbox.read(query).map(\.mayWait)
            }
            try Self.write(storage, try storage.take(), "one", "two")
            _ = try Migrator.rebalance(storage.session, shardCount: 2)
            #expect(try waits(0) == [:])
            #expect(try waits(1) == ["events": 0])
            // Shard 1 writes nothing before its slices move to shard 2. Shard 2 still waits for shard 0.
            _ = try Migrator.rebalance(storage.session, shardCount: 3)
            #expect(try waits(2) == ["events": 0])
            let owner = ShardOwner(
                node: "node",
                process: "process",
                sliceVersion: try storage.loader.sliceTable().version
            )
            let taken = try #require(try storage.lane.takeShard(2, as: owner))
            let fence = ShardFence(shard: 2, epoch: taken.epoch, outboxSequence: taken.outboxSequence)
            try Self.write(storage, fence, "three")
            #expect(try mayWait(2) == [true])
            #expect(try mayWait(0) == [false, false])
            // Back to shard 0: its own records come first in any case, and shard 0 waits for the records of shard 2.
            _ = try Migrator.rebalance(storage.session, shardCount: 1)
            #expect(try waits(0) == ["events": 2])
            #expect(try storage.loader.sliceTable().usedShardCount == 1)
            #expect(try storage.loader.sliceTable().shardCount == 3, "its outbox is not published yet")

            let first = OutboxRange(shard: 0, topic: "events", after: 0, through: 2)
            #expect(try outbox.delete(first, limit: 1) == 1)
            #expect(try waits(2) == ["events": 0])
            #expect(try outbox.delete(first, limit: 1) == 2)
            #expect(try waits(2) == [:])
            #expect(try mayWait(2) == [false])
            #expect(try waits(0) == ["events": 2])
            #expect(try outbox.delete(OutboxRange(shard: 2, topic: "events", after: 0, through: 1), limit: 9) == 1)
            #expect(try waits(0) == [:] && waits(1) == [:])
            #expect(try storage.number("select count(*) from sagamore.outbox_waits") == 0)
            #expect(try storage.loader.sliceTable().shardCount == 1)
        }

        /// Loader queries read little more than they return, however many runs are parked.
        @Test func loaderQueriesUseIndexes() throws {
            let storage = try Storage(shards: 4)
            try storage.session.execute(
                """
                insert into sagamore.runs (run_id, namespace, slice, status, started_at, history_length, history_bytes,
                    workflow_id, workflow_type, task_queue, start_request_id)
                    select ('01900000-0000-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid, 1, n % 4096, 1, n, 1, 1,
                        'run ' || n, 't', 'q', '' from generate_series(1, 100000) as n;
                insert into sagamore.alarms (run_id, alarm_at, slice, open_namespace, open_workflow_id)
                    select run_id, case when started_at % 1000 = 0 then null else 1000 + started_at end, slice, 1,
                        workflow_id from sagamore.runs;
                insert into sagamore.backlog (run_id, task, since, slice, queue, priority, place)
                    select run_id, 0, started_at, slice, 'q' || started_at % 100, 3, started_at from sagamore.runs;
                """
            )
            try storage.session.execute(
                "vacuum analyze sagamore.runs, sagamore.alarms, sagamore.backlog, sagamore.slices"
            )
            let pages = [
                (
                    "alarms", "a.run_id > '00000000-0000-0000-0000-000000000000' and a.alarm_at is null", "a.run_id"
                ),
                (
                    "alarms",
                    "a.alarm_at is not null and a.alarm_at < 2000 and (a.alarm_at, a.run_id) > (0, "
                        + "'00000000-0000-0000-0000-000000000000')", "a.alarm_at, a.run_id"
                ),
                ("backlog", "a.queue = 'q1'", "a.since"),
            ]
            for (table, condition, order) in pages {
                let statement = """
                    explain (analyze, buffers, costs off, timing off, summary off)
                    select r.* from sagamore.\(table) a join sagamore.slices s on s.slice = a.slice and s.shard = 2
                        join sagamore.runs r on r.run_id = a.run_id
                        where \(condition) order by \(order) limit 256
                    """
                let rows = try storage.session.query(PostgresStatement("explain \(order)", statement))
                let plan = (0..<rows.rowCount).map { rows.text($0, 0) }
                #expect(
                    !plan.contains { $0.contains("Seq Scan on \(table)") || $0.contains("Seq Scan on runs") },
                    "\(plan)"
                )
                #expect(!plan.contains { $0.contains("\(table)_pkey") }, "\(plan)")
            }
        }
    }
}
