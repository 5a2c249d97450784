import SagamoreAPI
import SagamoreEngine
import SagamoreEngineTestSupport
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

        /// A row that was read before the run closed must not hide the run that followed it.
        @Test func aRunThatClosedAfterItsRowWasReadDoesNotBecomeCurrentAgain() throws {
            let database = try TestDatabase()
            let node = try Node(database).started()
            defer { node.stop() }
            let old = try node.start("one").get().runID
            try node.work(Samples.startTimer("timer", .seconds(600)))
            node.clock.jump(.seconds(20))
            try eventually("parked") { !node.isCached("one") }
            node.clock.jump(.seconds(600 - 20 - 5))
            try eventually("back for its timer") { node.isCached("one") }

            // Its alarm row still names the timer, so the loader reads it again.
            node.faults.holdLoader(at: .parkedRunsRead)
            defer { node.faults.letLoaderGo() }
            try eventually("row read") { node.faults.isLoaderHolding(at: .parkedRunsRead) }
            let new = try node.start("one") { $0.workflowIDReusePolicy = .terminateIfRunning }.get().runID
            #expect(new != old)
            try node.work()
            node.clock.jump(.seconds(20))
            try eventually("successor parked") { !node.isCached("one") }

            node.faults.holdLoader(at: .journals)
            try eventually("journals asked for") { node.faults.isLoaderHolding(at: .journals) }
            let third = try node.start("one")
            node.faults.letLoaderGo()
            #expect(try third.error().code == .alreadyExists)
            #expect(try database.number("select count(*) from sagamore.runs where status = 1") == 1)
            #expect(try node.status("one") == .running)
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
