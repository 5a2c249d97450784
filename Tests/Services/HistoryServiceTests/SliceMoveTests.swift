import Foundation
import SagamoreEngine
import SagamoreEngineTestSupport
import SagamorePersistence
import SagamorePostgresClient
import SagamoreServices
import Testing

@testable import SagamoreHistoryService

extension HistoryTests {
    /// Slices move to other shards while servers run.
    @Suite struct SliceMoves {
        private static func rebalance(_ database: TestDatabase, to count: Int) throws {
            _ = try Migrator.rebalance(database.session, shardCount: count)
        }

        /// Waits until a node serves this many shards.
        private static func wait(for node: Node, _ count: Int) throws {
            try eventually("\(count) shards") {
                let set = node.history.current.withLock { $0 }
                return set.slices.usedShardCount == count && set.isReady
            }
        }

        /// Completes every workflow task that is due.
        private static func work(_ node: Node, atMost limit: Int) throws -> Int {
            var count = 0
            while count < limit, let task = try node.workflowTaskIfDue() {
                try node.complete(task, [Samples.startTimer("\(UUID())", .seconds(600))]).get()
                count += 1
            }
            return count
        }

        /// Publishes all outboxes like the publishers, in a random order of shards. Returns the values by key.
        private static func publish(_ database: TestDatabase, _ random: inout SeededGenerator) throws -> [String:
            [String]]
        {
            let connection = try PostgresConnection(database.url, applicationName: "test publisher")
            let store = PostgresOutboxStore(connection, process: "")
            var values: [String: [String]] = [:]
            let shardCount = try store.shardCount(database)
            for _ in 0..<100_000 {
                if try database.number("select count(*) from sagamore.outbox") == 0 { return values }
                let shard = Int32.random(in: 0..<shardCount, using: &random)
                let query = OutboxQuery(shard: shard, topics: .allBut([]), after: 0, rowLimit: 3, byteLimit: 1 << 20)
                let waits = try store.waits(of: shard)
                for row in try store.read(query) where row.sequence <= waits[row.record.topic] ?? .max {
                    let key = String(decoding: row.record.key ?? [], as: UTF8.self)
                    values[key, default: []].append(String(decoding: row.record.value ?? [], as: UTF8.self))
                    let range = OutboxRange(
                        shard: shard,
                        topic: row.record.topic,
                        after: row.sequence - 1,
                        through: row.sequence
                    )
                    _ = try store.delete(range, limit: 1)
                }
            }
            return values
        }

        /// The committed records by key, in commit order.
        private static func committed(_ nodes: [Node]) -> [String: [String]] {
            var values: [String: [String]] = [:]
            for record in nodes.flatMap({ $0.faults.committed.flatMap(\.outbox) }) {
                let key = String(decoding: record.key ?? [], as: UTF8.self)
                values[key, default: []].append(String(decoding: record.value ?? [], as: UTF8.self))
            }
            return values
        }

        @Test(arguments: [1, 2, 3] as [UInt64])
        func aRunningServerTakesUpAnotherNumberOfShards(_ seed: UInt64) throws {
            var random = SeededGenerator(seed: seed)
            let database = try TestDatabase()
            let node = try Node(database).started()
            defer { node.stop() }
            let names = (0..<40).map { "run \($0)" }
            for (number, name) in names.enumerated() {
                #expect(
                    try node.submit(try node.startCommand(name, "start", offset: Int64(number))).get() == .carriedOut
                )
            }
            // Ten runs close. Half of the others are parked with a timer, and half have a due task.
            for _ in 0..<10 { try node.complete(try node.workflowTask(), [Samples.complete()]).get() }
            #expect(try Self.work(node, atMost: 15) == 15)
            node.clock.jump(.seconds(20))
            try eventually("parked") { node.cachedCount == 15 }
            let closed = try names.filter { try node.status($0) == .completed }
            #expect(closed.count == 10)
            let open = names.filter { !closed.contains($0) }

            var offset: Int64 = 100
            for (round, count) in [4, 2, 3, 1].enumerated() {
                try Self.rebalance(database, to: count)
                // The command is refused while shards change owners, as during a restart. Then it takes effect once.
                for name in open {
                    let command = try node.signalCommand(name, "signal \(round)", offset: offset)
                    offset += 1
                    try eventually("the signal is taken") { try Self.isTaken(node.submit(command)) }
                }
                try Self.wait(for: node, count)
                #expect(try node.submit(try node.signalCommand(open[0], "signal 0", offset: 1)).get() == .duplicate)
                #expect(try Self.work(node, atMost: 100) == 30, "each has one task")
                for name in open {
                    #expect(try node.signals(name) == (0...round).map { "signal \($0)" })
                    #expect(try node.status(name) == .running)
                }
                for name in closed { #expect(try node.status(name) == .completed) }
                try database.checkNumbers()
            }
            #expect(node.fencedShards.isEmpty)
            #expect(try database.number("select count(*) from sagamore.alarms") == 30)
            let expected = Self.committed([node])
            #expect(expected.count == 40)
            #expect(try Self.publish(database, &random) == expected)
        }

        private static func isTaken(_ call: Call<CommandOutcome>) throws -> Bool {
            do {
                return try call.get() == .carriedOut
            } catch let error as RequestError {
                #expect(error.code == .unavailable)
                return false
            }
        }

        @Test func aLateCommitIsRefusedAndRetriedByItsCaller() throws {
            let database = try TestDatabase()
            let node = try Node(database).started()
            defer { node.stop() }
            try node.start("one").get()
            node.faults.hold()
            let late = try node.signal("one", "late")
            try eventually("commit at the gate") { node.faults.isHolding }
            try Self.rebalance(database, to: 2)
            node.faults.letGo()
            #expect(try late.error().code == .unavailable)
            try Self.wait(for: node, 2)
            #expect(try node.signals("one") == [])
            try node.signal("one", "again").get()
            #expect(try node.signals("one") == ["again"])
            #expect(node.fencedShards.isEmpty)
        }

        /// A waiting server read the table of slices before the slices moved.
        @Test func aServerThatWaitsTakesNoShardByAnOldTable() throws {
            let database = try TestDatabase()
            let first = try Node(database, name: "first").started()
            let second = Node(database, name: "second")
            second.start()
            defer { second.stop() }
            for number in 0..<20 { try first.start("run \(number)").get() }
            try Self.rebalance(database, to: 4)
            try Self.wait(for: first, 4)
            first.stop()
            try Self.wait(for: second, 4)
            for number in 0..<20 { try second.signal("run \(number)", "hello").get() }
            #expect(try Self.work(second, atMost: 100) == 20)
            #expect(second.fencedShards.isEmpty)
            let wrong = try database.number(
                """
                select count(*) from sagamore.shards
                    where commit_count = 0 and id in (select shard from sagamore.slices)
                """
            )
            #expect(wrong == 0, "a shard with slices wrote nothing")
        }

        @Test func aServerIsKilledWhileSlicesMove() throws {
            let database = try TestDatabase()
            let first = try Node(database).started()
            let names = (0..<20).map { "run \($0)" }
            for (number, name) in names.enumerated() {
                _ = try first.submit(try first.startCommand(name, "start", offset: Int64(number))).get()
            }
            first.kill()
            try Self.rebalance(database, to: 4)
            try Self.rebalance(database, to: 3)
            // The second server was configured with the old number of shards.
            let second = try Node(database).started()
            defer { second.stop() }
            try Self.wait(for: second, 3)
            for (number, name) in names.enumerated() {
                let command = try second.startCommand(name, "start", offset: Int64(number))
                #expect(try second.submit(command).get() == .duplicate)
                let signal = try second.signalCommand(name, "signal", offset: Int64(100 + number))
                #expect(try second.submit(signal).get() == .carriedOut)
            }
            #expect(try Self.work(second, atMost: 100) == 20)
            try database.checkNumbers()
            var random = SeededGenerator(seed: 7)
            #expect(try Self.publish(database, &random) == Self.committed([first, second]))
        }
    }
}

extension PostgresOutboxStore {
    /// The number of shards that have a row, with or without slices.
    fileprivate func shardCount(_ database: TestDatabase) throws -> Int32 {
        Int32(try database.number("select count(*) from sagamore.shards"))
    }
}
