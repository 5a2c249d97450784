import SagamoreEngine
import SagamorePersistence
import SagamorePostgresClient
import SagamoreServices
import Testing

extension PersistenceTests {
    @Suite struct Plans {
        /// Sessions keep the plans that they made while the tables were empty. An index that begins as the one for
        /// workflows does would do as well then, and read the whole namespace later.
        @Test func runsAreLookedUpByTheirWorkflowAlone() throws {
            let storage = try Storage()
            do {
                let lane = try Storage.lane(storage.url)
                let loader = PostgresLoaderStore(
                    try PostgresConnection(
                        storage.url,
                        applicationName: "tests",
                        sessionSettings: SessionSettings.loader
                    )
                )
                let taken = try #require(try lane.takeShard(0, as: Storage.owner))
                let fence = ShardFence(shard: 0, epoch: taken.epoch, outboxSequence: 0)
                for number in 1...20 {
                    _ = try loader.lookUp([LookUp(key: Storage.key(number), commandID: "")])
                    var batch = CommitBatch()
                    batch.newRuns = [Storage.run(number)]
                    batch.assumedNew = [Storage.key(number)]
                    batch.alarms = [Storage.alarm(number, .insert(.active))]
                    try lane.commit(batch, fence: fence)
                }
            }
            // A session that ends reports what it has used.
            let used = "select idx_scan from pg_stat_user_indexes where indexrelname = 'runs_by_workflow'"
            let deadline = ContinuousClock.now + .seconds(20)
            while try storage.number(used) < 40, ContinuousClock.now < deadline {}
            #expect(try storage.number(used) >= 40)
            let others = """
                select indexrelname::text from pg_stat_user_indexes
                where schemaname = 'sagamore' and relname = 'runs' and indexrelname not in ('runs_by_workflow')
                    and idx_scan > 0
                """
            #expect(try storage.texts(others) == [])
        }
    }
}
