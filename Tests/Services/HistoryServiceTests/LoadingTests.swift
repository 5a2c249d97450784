import SagamoreEngine
import SagamoreServices
import Testing

@testable import SagamoreHistoryService

extension HistoryTests {
    /// What a shard's loader is asked for, and what becomes of it when the database fails.
    @Suite struct Loading {
        @Test func aRunWhoseLookUpFailsDuringRecoveryComesBackAllTheSame() throws {
            let database = try TestDatabase()
            let first = try Node(database).started()
            try first.start("one").get()
            first.kill()

            let node = Node(database)
            node.faults.holdLoader()
            node.faults.failOnce(.lookUp)
            node.start()
            defer {
                node.faults.letLoaderGo()
                node.stop()
            }
            try eventually("loader at the gate") { node.faults.isLoaderHolding }
            // Recovery finds that somebody has it looked up, and leaves it to that.
            let description = node.describe("one")
            node.faults.letLoaderGo()
            #expect(try description.error().code == .unavailable)
            try eventually("in memory") { node.isCached("one") }
            #expect(try node.workflowTask().key.workflowID == "one")
        }

        @Test func whoWaitsForAQueueIsFoundThoughTheDatabaseFailedDuringRecovery() throws {
            let database = try TestDatabase()
            let first = try Node(database).started()
            try first.start("one").get()
            let queue = first.workflowQueue("travel").storedName
            first.stop()
            try database.session.execute(
                "update sagamore.alarms set alarm_at = \(Int64.max), waiting_queue = '\(queue)', waiting_since = 1"
            )

            let node = Node(database)
            node.faults.failOnce(.waitingQueues)
            defer { node.stop() }
            try node.started()
            #expect(try node.workflowTask().key.workflowID == "one")
        }

        @Test func whatTimeAsksForIsQueuedOnce() {
            let queue = LoadQueue()
            for _ in 0..<3 {
                for _ in 0..<100 {
                    queue.add(.wakeParked)
                    queue.add(.retain)
                }
                queue.add(.recover(after: nil, count: 0))
                queue.add(.recover(after: nil, count: 0))
                #expect(queue.count == 4)
                // Each again once it was taken.
                #expect(queue.take(atMost: 10)?.count == 4)
            }
        }
    }
}
