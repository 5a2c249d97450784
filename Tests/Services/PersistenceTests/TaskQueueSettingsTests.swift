import SagamoreAPI
import SagamorePersistence
import SagamorePostgresClient
import SagamorePostgresTestSupport
import SagamoreServices
import Testing

extension PersistenceTests {
    @Suite struct TaskQueueSettingsTests {
        @Test func settingsAreReadAsTheyWereWritten() throws {
            let url = try TemporaryPostgres.sharedServer().createDatabase()
            let connection = try PostgresConnection(url, applicationName: "tests")
            defer { connection.close() }
            _ = try Migrator.migrate(connection, shardCount: 1)
            let store = PostgresTaskQueueSettings(url: url)
            #expect(try store.load().isEmpty)
            var settings = TaskQueueConfig()
            settings.fairnessWeightOverrides = ["caf\u{E9}": 2, "cafe\u{301}": 3]
            let key = TaskQueueKey(namespace: 7, name: "a/b \u{E9}", kind: .activity)
            let other = TaskQueueKey(namespace: 7, name: "a/b \u{E9}", kind: .workflow)
            try store.save(settings, of: key)
            try store.save(TaskQueueConfig(), of: other)
            settings.queueRateLimit = RateLimitConfig()
            settings.queueRateLimit?.rateLimit = RateLimit()
            try store.save(settings, of: key)
            let stored = Dictionary(try store.load()) { $1 }
            #expect(stored == [key: settings, other: TaskQueueConfig()])
        }
    }
}
