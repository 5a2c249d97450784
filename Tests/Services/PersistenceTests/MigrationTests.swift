import Foundation
import SagamorePersistence
import SagamorePostgresClient
import Testing

extension PersistenceTests {
    @Suite struct Migrations {
        @Test func aNewDatabaseIsMigratedOnce() throws {
            let session = try connect(try newDatabase())
            let first = try Migrator.migrate(session, shardCount: 3)
            let known = PostgresStatement("known", "select count(*), max(version) from sagamore.schema_versions")
            let versions = try session.query(known)
            #expect(!first.applied.isEmpty && first.applied.count == Int(versions.int64(0, 0)))
            #expect(first.version == Int(versions.int32(0, 1)))
            #expect(first.shardCount == 3)
            let shards = PostgresStatement("shards", "select count(*) from sagamore.shards", readsOnly: true)
            #expect(try session.query(shards).int64(0, 0) == 3)
            // The count applies to a new database only; `rebalance` changes it later.
            let second = try Migrator.migrate(session, shardCount: 5)
            #expect(second.applied.isEmpty)
            #expect(second.shardCount == 3 && second.installationID == first.installationID)
            #expect(try session.query(shards).int64(0, 0) == 3)
            #expect(second.version == first.version)
        }

        @Test func eachStepIsTold() throws {
            let session = try connect(try newDatabase())
            var steps: [Migrator.Progress] = []
            let outcome = try Migrator.migrate(session, shardCount: 1) { steps.append($0) }
            #expect(steps.prefix(outcome.applied.count) == outcome.applied.map { .applying($0) }[...])
            let indexes = steps.dropFirst(outcome.applied.count)
            #expect(!indexes.isEmpty)
            for (number, step) in indexes.enumerated() {
                guard case .indexing(_, number + 1, of: indexes.count) = step else {
                    Issue.record("\(step) is no index, or has another number")
                    continue
                }
            }
            #expect(try IndexProgress.read(session, madeBy: "nobody") == nil)
            steps = []
            _ = try Migrator.migrate(session, shardCount: 1) { steps.append($0) }
            #expect(steps.isEmpty)
        }

        @Test func concurrentMigrationsMakeOneInstallation() throws {
            let url = try newDatabase()
            final class Results: @unchecked Sendable {
                private let lock = NSLock()
                private var outcomes: [Result<Migrator.Outcome, any Error>] = []
                func add(_ outcome: Result<Migrator.Outcome, any Error>) { lock.withLock { outcomes.append(outcome) } }
                var all: [Result<Migrator.Outcome, any Error>] { lock.withLock { outcomes } }
            }
            let results = Results()
            let helpers = (1...4).map { number in
                Helper { results.add(Result { try Migrator.migrate(try connect(url), shardCount: number) }) }
            }
            for helper in helpers { helper.join() }
            let outcomes = try results.all.map { try $0.get() }
            #expect(outcomes.count == 4)
            #expect(Set(outcomes.flatMap(\.applied)).count == outcomes.reduce(0) { $0 + $1.applied.count })
            #expect(Set(outcomes.map(\.installationID)).count == 1)
            #expect(Set(outcomes.map(\.shardCount)).count == 1)
        }

        @Test func twoDatabasesAreTwoInstallations() throws {
            let one = try Migrator.migrate(try connect(try newDatabase()), shardCount: 1)
            let two = try Migrator.migrate(try connect(try newDatabase()), shardCount: 1)
            #expect(one.installationID != two.installationID)
        }

        @Test(arguments: [
            ("insert into sagamore.schema_versions values (999, 'later')", "schema 999"),
            ("update sagamore.installation set format_level = 999", "format level 999"),
        ])
        func aDatabaseOfANewerProgramIsRefused(_ change: String, _ said: String) throws {
            let session = try connect(try newDatabase())
            _ = try Migrator.migrate(session, shardCount: 1)
            try session.execute(change)
            let error = #expect(throws: PostgresError.self) { try Migrator.migrate(session, shardCount: 1) }
            let message = try #require(error).message
            #expect(message.contains("this program is too old") && message.contains(said))
            #expect(!message.contains("\n"))
        }

        @Test func aDatabaseOfADevelopmentVersionIsRefused() throws {
            let session = try connect(try newDatabase())
            _ = try Migrator.migrate(session, shardCount: 1)
            try session.execute("update sagamore.schema_versions set version = 5 where version = 6")
            try session.execute("delete from sagamore.schema_versions where version > 6")
            let error = #expect(throws: PostgresError.self) { try Migrator.migrate(session, shardCount: 1) }
            let message = try #require(error).message
            #expect(message.contains("development version of sagamore (schema 5)"))
            #expect(message.contains("use an empty database") && !message.contains("\n"))
        }

        @Test func aWorkflowIDHasOneOpenRun() throws {
            let storage = try Storage()
            let fence = try storage.take()
            var batch = CommitBatch()
            batch.newRuns = [Storage.run(1, workflowID: "one")]
            batch.alarms = [Storage.alarm(1, .insert(.active))]
            try storage.lane.commit(batch, fence: fence)
            var second = CommitBatch()
            second.newRuns = [Storage.run(2, workflowID: "one")]
            second.alarms = [Storage.alarm(2, .insert(.active))]
            do throws(CommitError) {
                try storage.lane.commit(second, fence: fence)
                #expect(Bool(false), "a second open run was written")
            } catch {
                guard case .data(let cause) = error else { return #expect(Bool(false), "\(error)") }
                #expect(cause.constraint == "alarms_open")
            }
            // One transaction may close the first run and start the second.
            second.closedRuns = [
                RunClosing(
                    runID: Storage.runID(1),
                    status: .terminated,
                    closedAt: Storage.noon,
                    historyLength: 4,
                    historyBytes: 400
                )
            ]
            second.alarms.append(Storage.alarm(1, .remove))
            try storage.lane.commit(second, fence: fence)
            #expect(try storage.number("select count(*) from sagamore.runs where closed_at is null") == 1)
        }

        @Test func zeroShardsAreRefused() throws {
            let session = try connect(try newDatabase())
            #expect(throws: PostgresError.self) { try Migrator.migrate(session, shardCount: 0) }
        }
    }
}
