import SagamorePostgresClient
import Testing

private let insert = PostgresStatement("insert", "INSERT INTO t VALUES ($1, $2)")

extension PostgresClientTests {
    @Suite struct Transactions {
        let connection: PostgresConnection

        init() throws {
            connection = try connect(newDatabase())
            try connection.execute("CREATE TABLE t (id int8 CONSTRAINT t_key PRIMARY KEY, body bytea); SELECT 1")
        }

        func rows() throws -> Int64 { try connection.number("SELECT count(*) FROM t") }

        func inserts(_ ids: Int64...) -> PostgresBatch {
            var batch = PostgresBatch()
            for id in ids { batch.append(insert, [.int64(id), .bytes([1])]) }
            return batch
        }

        @Test func commitsAllInOrder() throws {
            var batch = inserts(1, 2)
            batch.append(PostgresStatement("read", "SELECT id FROM t ORDER BY id"))
            let results = try connection.transaction(batch)
            #expect(results.count == 3)
            #expect(results[1].affectedRows == 1)
            #expect((0..<results[2].rowCount).map { results[2].int64($0, 0) } == [1, 2])
            for id in 3..<20 { _ = try connection.transaction(inserts(Int64(id))) }
            #expect(try rows() == 19)
        }

        @Test func emptyBatchesAreFine() throws {
            #expect(try connection.transaction(PostgresBatch()).isEmpty)
        }

        @Test func uniqueViolationInTheMiddleRollsEverythingBack() throws {
            _ = try connection.transaction(inserts(5))
            let error = try failure { () throws(PostgresError) in try connection.transaction(inserts(3, 4, 5, 6)) }
            #expect(error.code == .server)
            #expect(error.sqlState == "23505")
            #expect(error.constraint == "t_key")
            #expect(error.statementIndex == 2)
            #expect(error.isDataError)
            #expect(!error.isTransient)
            #expect(!error.description.contains("(5)"), "DETAIL quotes the key")
            #expect(connection.isUsable)
            #expect(try rows() == 1)
            _ = try connection.transaction(inserts(3, 4))
            #expect(try rows() == 3)
        }

        @Test func errorWhilePreparingNamesItsStatement() throws {
            let broken = PostgresStatement("broken", "INSERT INTO missing VALUES ($1::int8)")
            let late = PostgresStatement("late", "SELECT count(*) FROM t")
            var batch = inserts(1)
            batch.append(broken, [.int64(1)])
            batch.append(late)
            let error = try failure { () throws(PostgresError) in try connection.transaction(batch) }
            #expect(error.statementIndex == 1)
            #expect(error.sqlState == "42P01")
            #expect(!error.isDataError)
            // `insert` was prepared in the failed transaction and stays prepared; `broken` and `late` were not.
            #expect(try connection.number("SELECT count(*) FROM pg_prepared_statements WHERE name = 'insert'") == 1)
            #expect(
                try connection.number("SELECT count(*) FROM pg_prepared_statements WHERE name IN ('broken', 'late')")
                    == 0
            )
            try connection.execute("CREATE TABLE missing (id int8)")
            let results = try connection.transaction(batch)
            #expect(results[2].int64(0, 0) == 1)
        }

        @Test func statementIsPreparedOnceAConnection() throws {
            var batch = PostgresBatch()
            for id in 0..<10 { batch.append(insert, [.int64(Int64(id)), .null]) }
            _ = try connection.transaction(batch)
            #expect(try connection.number("SELECT count(*) FROM pg_prepared_statements WHERE name = 'insert'") == 1)
            try connection.reconnect()
            _ = try connection.transaction(inserts(10))
            #expect(try rows() == 11)
        }

        @Test func deferredConstraintFailsAtTheCommit() throws {
            try connection.execute(
                "CREATE TABLE child (parent int8 REFERENCES t (id) DEFERRABLE INITIALLY DEFERRED)"
            )
            let orphan = PostgresStatement("orphan", "INSERT INTO child VALUES ($1)")
            var batch = PostgresBatch()
            batch.append(orphan, [.int64(99)])
            let inBatch = try failure { () throws(PostgresError) in try connection.transaction(batch) }
            #expect(inBatch.code == .server)
            #expect(inBatch.sqlState == "23503")
            #expect(inBatch.statementIndex == nil)
            let alone = try failure { () throws(PostgresError) in try connection.query(orphan, [.int64(99)]) }
            #expect(alone.code == .server)
            #expect(alone.sqlState == "23503")
            #expect(connection.isUsable)
            #expect(try connection.number("SELECT count(*) FROM child") == 0)
        }

        @Test func functionThatRaisesStopsTheCommit() throws {
            try connection.execute(
                """
                CREATE FUNCTION fence(expected int8) RETURNS void LANGUAGE plpgsql AS $$
                BEGIN
                    UPDATE t SET body = '' WHERE id = expected;
                    IF NOT FOUND THEN RAISE EXCEPTION 'fenced' USING ERRCODE = 'SF001'; END IF;
                END $$
                """
            )
            var batch = PostgresBatch()
            batch.append(PostgresStatement("fence", "SELECT fence($1)"), [.int64(7)])
            batch.append(insert, [.int64(8), .null])
            let error = try failure { () throws(PostgresError) in try connection.transaction(batch) }
            #expect(error.sqlState == "SF001")
            #expect(error.statementIndex == 0)
            #expect(error.message == "fenced")
            #expect(try rows() == 0)
        }

        @Test func explicitTransactionByExecute() throws {
            try connection.execute("BEGIN")
            _ = try connection.query(insert, [.int64(1), .null])
            let nested = try failure { () throws(PostgresError) in try connection.transaction(inserts(2)) }
            #expect(nested.code == .usage)
            try connection.execute("ROLLBACK")
            #expect(try rows() == 0)
        }

        /// Full send buffers and unread results must not block each other.
        @Test func hugeBatchWithAnswersAsLarge() throws {
            let echo = PostgresStatement("echo", "SELECT $1::bytea")
            let body = [UInt8](repeating: 0xab, count: 1 << 20)
            var batch = PostgresBatch()
            for _ in 0..<64 { batch.append(echo, [.bytes(body)]) }
            let results = try connection.transaction(batch)
            #expect(results.allSatisfy { $0.bytes(0, 0).count == body.count })
            let single = try connection.query(echo, [.bytes([UInt8](repeating: 1, count: 64 << 20))])
            #expect(single.bytes(0, 0).count == 64 << 20)
        }

        @Test func manySmallStatementsInOneBatch() throws {
            var batch = PostgresBatch()
            for id in 0..<20_000 {
                batch.append(insert, [.int64(Int64(id)), .bytes([UInt8](repeating: 1, count: 100))])
            }
            #expect(try connection.transaction(batch).count == 20_000)
            #expect(try rows() == 20_000)
        }

        @Test func tooLargeAStatementIsRefusedHere() throws {
            let part = [UInt8](repeating: 0, count: 200_000_000)
            let values = Array(repeating: PostgresValue.bytes(part), count: 6)
            let wide = PostgresStatement(
                "wide",
                "SELECT $1::bytea, $2::bytea, $3::bytea, $4::bytea, $5::bytea, $6::bytea"
            )
            let error = try failure { () throws(PostgresError) in try connection.query(wide, values) }
            #expect(error.code == .usage)
            #expect(error.isDataError)
            #expect(connection.isUsable)
        }
    }
}
