import SagamoreEngine
import SagamorePersistence
import SagamoreServices
import Testing

extension DatabaseContract {
    /// What a publisher reads, notes and deletes.
    @Suite struct Outboxes {
        private static func filled(_ kind: DatabaseKind) throws -> any DatabaseUnderTest {
            let database = try kind.make()
            let fence = try database.take()
            let batch = Sample.batch {
                $0.outbox = (1...9).map { Sample.record("\($0)", topic: $0 % 3 == 0 ? "b" : "a") }
                $0.outbox.append(OutboxRecord(topic: "c", key: [], value: nil, headers: []))
                $0.outbox.append(OutboxRecord(topic: "c", key: [1, 2, 3], value: [], headers: []))
            }
            try database.lane.commit(batch, fence: fence)
            return database
        }

        @Test(arguments: DatabaseKind.allCases)
        func recordsComeInOrderAndInPages(_ kind: DatabaseKind) throws {
            let database = try Self.filled(kind)
            func read(_ topics: OutboxQuery.Topics, after: Int64 = 0, rows: Int = 99, bytes: Int = 999) throws
                -> [Int64]
            {
                let query = OutboxQuery(shard: 0, topics: topics, after: after, rowLimit: rows, byteLimit: bytes)
                return try database.outbox.read(query).map(\.sequence)
            }
            #expect(try read(.allBut([])) == Array(1...11))
            #expect(try read(.allBut(["b", "c"])) == [1, 2, 4, 5, 7, 8])
            #expect(try read(.only("b")) == [3, 6, 9])
            #expect(try read(.only("d")) == [])
            #expect(try read(.only("a"), after: 2, rows: 2) == [4, 5])
            // The first eight bytes of headers and one of the value, more than once.
            let size = 1 + OutboxHeaders.encode(Sample.record("").headers).count
            #expect(try read(.allBut([]), bytes: 1) == [1])
            #expect(try read(.allBut([]), bytes: 2 * size) == [1, 2])
            #expect(try read(.allBut([]), bytes: 2 * size + 1) == [1, 2, 3])
            // A key counts nothing.
            #expect(try read(.allBut([]), after: 9, bytes: 1) == [10, 11])
            let query = OutboxQuery(shard: 0, topics: .only("c"), after: 0, rowLimit: 9, byteLimit: 9)
            #expect(try database.outbox.read(query).map(\.record.key) == [[], [1, 2, 3]])
            #expect(try database.outbox.read(query).map(\.record.value) == [nil, []])
            let first = OutboxQuery(shard: 0, topics: .only("a"), after: 0, rowLimit: 1, byteLimit: 9)
            #expect(try database.outbox.read(first) == [OutboxRow(sequence: 1, record: Sample.record("1", topic: "a"))])
        }

        @Test(arguments: DatabaseKind.allCases)
        func publishedRecordsAreDeletedByTopic(_ kind: DatabaseKind) throws {
            let database = try Self.filled(kind)
            func delete(_ topic: String, after: Int64, through: Int64, limit: Int) throws -> Int64? {
                let range = OutboxRange(shard: 0, topic: topic, after: after, through: through)
                return try database.outbox.delete(range, limit: limit)
            }
            #expect(try delete("a", after: 1, through: 7, limit: 2) == 4)
            #expect(try delete("a", after: 1, through: 7, limit: 9) == 7)
            #expect(try delete("a", after: 1, through: 7, limit: 9) == nil)
            #expect(try delete("b", after: 3, through: 5, limit: 9) == nil)
            let query = OutboxQuery(shard: 0, topics: .allBut([]), after: 0, rowLimit: 99, byteLimit: 999)
            #expect(try database.outbox.read(query).map(\.sequence) == [1, 3, 6, 8, 9, 10, 11])
        }

        @Test(arguments: DatabaseKind.allCases)
        func positionsNeverDecrease(_ kind: DatabaseKind) throws {
            let database = try Self.filled(kind)
            #expect(try database.outbox.positions(of: 0) == [:])
            try database.outbox.record([:], of: 0)
            try database.outbox.record(["a": 5, "b": 7], of: 0)
            try database.outbox.record(["a": 6, "b": 6, "c": 0], of: 0)
            #expect(try database.outbox.positions(of: 0) == ["a": 6, "b": 7, "c": 0])
            #expect(try database.outbox.positions(of: 1) == [:])
        }

        @Test(arguments: DatabaseKind.allCases)
        func aDeadEventIsStoredOnce(_ kind: DatabaseKind) throws {
            let database = try Self.filled(kind)
            let row = OutboxRow(sequence: 3, record: Sample.record("3"))
            try database.outbox.insertDeadEvent(row, shard: 0, error: "too large")
            try database.outbox.insertDeadEvent(row, shard: 0, error: "again")
            let rows = try database.rows().filter { $0.hasPrefix("dead_events") }
            #expect(rows.count == 1 && rows[0].hasSuffix("|too large"))
        }

        @Test(arguments: DatabaseKind.allCases)
        func aShardIsOwnedByName(_ kind: DatabaseKind) throws {
            let database = try Self.filled(kind)
            #expect(try database.outbox.standing(of: 0) == ShardStanding(isOwned: true, outboxSequence: 11))
            _ = try database.lane.takeShard(0, as: ShardOwner(node: "node", process: "another"))
            #expect(try database.outbox.standing(of: 0) == ShardStanding(isOwned: false, outboxSequence: 11))
        }
    }
}
