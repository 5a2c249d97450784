import SagamoreEmbeddedPostgres
import SagamorePostgresClient
import SagamorePostgresTestSupport
import SagamoreThreads
import Testing

/// Closed until it is opened.
final class Gate: Sendable {
    private let isOpen = Locked(false)
    func open() { isOpen.withLock { $0 = true } }
    func pass() { try? eventually { isOpen.withLock { $0 } } }
}

final class Collected<Value: Sendable>: Sendable {
    private let values = Locked<[Value]>([])
    func append(_ value: Value) { values.withLock { $0.append(value) } }
    var all: [Value] { values.withLock { $0 } }
}

extension PostgresClientTests {
    @Suite struct Pools {
        func pool(_ url: String, threads: Int = 2, limit: Int = 100, _ events: Collected<String> = Collected())
            -> PostgresPool
        {
            var configuration = PostgresPool.Configuration(
                url: url,
                applicationName: "pool",
                threads: threads,
                queueLimit: limit
            )
            configuration.backoff = Backoff(first: .milliseconds(5), longest: .milliseconds(50))
            return PostgresPool(configuration) { event in
                switch event {
                case .connected: events.append("connected")
                case .disconnected: events.append("disconnected")
                case .cannotConnect: events.append("cannotConnect")
                }
            }
        }

        @Test func jobsRunAndComplete() async throws {
            let pool = pool(try newDatabase())
            let sum = try await pool.run { connection throws(PostgresError) in
                try connection.number("SELECT 1 + 1::int8")
            }
            #expect(sum == 2)
            let results = Collected<Int64>()
            for number in 0..<50 {
                let isTaken = pool.submit({ connection throws(PostgresError) in
                    try connection.query(PostgresStatement("echo", "SELECT $1::int8"), [.int64(Int64(number))]).int64(
                        0,
                        0
                    )
                }) { result in if case .success(let value) = result { results.append(value) } }
                #expect(isTaken)
            }
            pool.shutdown(.drain)
            #expect(results.all.sorted() == (0..<50).map(Int64.init))
            let isTaken = pool.submit({ _ in }, completion: { _ in })
            #expect(!isTaken)
        }

        @Test func errorsOfJobsArrive() async throws {
            let pool = pool(try newDatabase(), threads: 1)
            let error = await #expect(throws: PostgresError.self) {
                try await pool.run { connection throws(PostgresError) in try connection.number("SELECT nonsense") }
            }
            #expect(error?.sqlState == "42703")
            #expect(try await pool.run { connection throws(PostgresError) in try connection.number("SELECT 1") } == 1)
            pool.shutdown()
        }

        @Test func fullQueueRefuses() throws {
            let pool = pool(try newDatabase(), threads: 1, limit: 3)
            let gate = Gate()
            let started = Gate()
            let done = Collected<Int>()
            func submit(_ job: @escaping @Sendable () -> Void, _ number: Int) -> Bool {
                pool.submit({ _ in job() }, completion: { _ in done.append(number) })
            }
            var areTaken = [
                submit(
                    {
                        started.open(); gate.pass()
                    },
                    0
                )
            ]
            started.pass()
            for number in 1...3 { areTaken.append(submit({}, number)) }
            #expect(pool.queuedCount == 3)
            areTaken.append(submit({}, 99))
            #expect(areTaken == [true, true, true, true, false])
            gate.open()
            pool.shutdown(.drain)
            #expect(done.all == [0, 1, 2, 3])
        }

        @Test func shutdownRefusesWhatWaits() throws {
            let pool = pool(try newDatabase(), threads: 1)
            let codes = Collected<PostgresError.Code?>()
            let started = Gate()
            @Sendable func note(_ result: Result<Void, PostgresError>) {
                if case .failure(let error) = result { codes.append(error.code) } else { codes.append(nil) }
            }
            let areTaken = [
                pool.submit(
                    { connection throws(PostgresError) in
                        started.open()
                        _ = try connection.query(PostgresStatement("sleep", "SELECT pg_sleep(600)", readsOnly: true))
                    },
                    completion: note
                ),
                pool.submit({ _ in }, completion: note),
            ]
            #expect(areTaken == [true, true])
            started.pass()
            pool.shutdown(.interrupt)
            pool.shutdown(.drain)
            #expect(Set(codes.all) == [.shutDown, .connectionLost])
            #expect(codes.all.count == 2)
        }

        @Test func jobThatLeavesATransactionOpenLosesItsConnection() async throws {
            let pool = pool(try newDatabase(), threads: 1)
            let first = try await pool.run { connection throws(PostgresError) in
                try connection.execute("BEGIN")
                return connection.backendProcessID
            }
            let second = try await pool.run { connection throws(PostgresError) in connection.backendProcessID }
            #expect(first != second)
            pool.shutdown()
        }

        @Test func reconnectsAfterTheServerWasKilled() async throws {
            let server = try TemporaryPostgres()
            defer { try? server.stop() }
            let events = Collected<String>()
            let pool = pool(server.url, threads: 1, events)
            let first = try await pool.run { connection throws(PostgresError) in connection.backendProcessID }
            server.kill9()
            // While nobody listens, jobs are refused and not kept.
            try eventually {
                _ = pool.submit({ _ in }, completion: { _ in })
                return events.all.filter { $0 == "cannotConnect" }.count > 3
            }
            let refused = Collected<PostgresError.Code>()
            _ = pool.submit({ _ in }) { result in if case .failure(let error) = result { refused.append(error.code) } }
            try eventually { !refused.all.isEmpty }
            #expect(refused.all == [.cannotConnect])
            #expect(pool.connectedCount == 0)
            try server.restart()
            try eventually { pool.connectedCount == 1 }
            let second = try await pool.run { connection throws(PostgresError) in connection.backendProcessID }
            #expect(first != second)
            pool.shutdown()
        }

        @Test func serverThatRestartedMeanwhileIsNotTheJobsConcern() async throws {
            let server = try TemporaryPostgres()
            defer { try? server.stop() }
            let pool = pool(server.url, threads: 1)
            _ = try await pool.run { connection throws(PostgresError) in connection.backendProcessID }
            try server.stopAndRestart()
            #expect(try await pool.run { connection throws(PostgresError) in try connection.number("SELECT 1") } == 1)
            pool.shutdown()
        }

        @Test func shutdownWithoutAServer() throws {
            let pool = pool("host=/tmp/sagamore-no-such-folder")
            let codes = Collected<PostgresError.Code>()
            for _ in 0..<10 {
                _ = pool.submit({ _ in }) { result in if case .failure(let error) = result { codes.append(error.code) }
                }
            }
            pool.shutdown(.drain)
            #expect(codes.all.count == 10)
        }
    }
}
