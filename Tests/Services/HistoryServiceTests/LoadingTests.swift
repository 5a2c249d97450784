import SagamoreAPI
import SagamoreEngine
import SagamoreEngineTestSupport
import SagamoreServices
import Testing

@testable import SagamoreHistoryService

extension HistoryTests {
    /// The loads of a shard, also when the database fails.
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
            // Recovery finds that a lookup of the run is queued, and leaves the run to it.
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
                """
                with parked as (update sagamore.alarms set alarm_at = \(Int64.max) returning slice, run_id)
                    insert into sagamore.backlog (slice, run_id, task, queue, since, priority, place)
                    select slice, run_id, 0, '\(queue)', 1, 3, 1 from parked
                """
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

            // The alarm row still has the timer, so the loader reads the run's row again.
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

        /// A recovery reads a bounded number of bytes at a time, and requests have turns between the pages.
        @Test func largeJournalsAreReadInPages() throws {
            let database = try TestDatabase()
            // With snapshots a load would not read these signals at all.
            try database.session.execute("update sagamore.installation set format_level = 1")
            let first = try Node(database).started()
            let runs = (0..<6).map { "run \($0)" }
            for run in runs {
                try first.start(run).get()
                // 3 MiB each, so two of them need more than one page.
                for _ in 0..<3 {
                    let request = try SignalRequest(
                        name: "large",
                        input: Samples.payloads(String(repeating: "x", count: 1 << 20)),
                        header: nil,
                        identity: "client",
                        requestID: "",
                        origin: nil,
                        limits: Limits()
                    )
                    try Call<RunID> { first.history.signal(first.reference(run), request, reply: $0) }.get()
                }
            }
            let before = try runs.map { try first.outline($0) }
            first.kill()

            let node = Node(database)
            defer { node.stop() }
            try node.started()
            #expect(node.cachedCount == runs.count)
            let pages = node.faults.journalPages
            #expect(pages.count > 4)
            #expect(pages.allSatisfy { $0 <= WorkBounds().pageBytes + (2 << 20) }, "\(pages)")
            #expect(try runs.map { try node.outline($0) } == before)
            for _ in runs { try node.work(Samples.complete()) }
        }

        /// A run may have thousands of activities with large heartbeat details.
        @Test func largeHeartbeatsAreReadInPages() throws {
            let database = try TestDatabase()
            let first = try Node(database).started()
            let count = 7
            try first.start("one").get()
            let commands = (0..<count).map { number in
                Samples.schedule("activity \(number)") { $0.startToCloseTimeout = Interval.seconds(900).duration }
            }
            try first.complete(try first.workflowTask(), commands).get()
            let tasks = try (0..<count).map { _ in try first.activityTask() }
            let details = Samples.payloads(String(repeating: "x", count: 1 << 20))
            for task in tasks {
                let token = try first.activityToken(task)
                try Call<HeartbeatAnswer> { first.history.heartbeat(token, details: details, reply: $0) }.get()
            }
            try eventually("written") {
                try database.number("select count(*) from sagamore.heartbeats") == Int64(count)
            }
            first.kill()

            let node = Node(database)
            defer { node.stop() }
            try node.started()
            let pages = node.faults.heartbeatPages
            #expect(pages.count == 2)
            #expect(pages.allSatisfy { $0 <= WorkBounds().pageBytes + (2 << 20) }, "\(pages)")
            let pending = try node.describe("one").get().pendingActivities
            #expect(pending.count == count)
            #expect(pending.allSatisfy { $0.heartbeatDetails == details })
        }

        /// The loader finds out that a closed run did not take a request without reading its journal.
        @Test func aLateSignalDoesNotReplayAClosedRun() throws {
            let node = try Node(TestDatabase()).started()
            defer { node.stop() }
            let run = try node.start("one").get().runID
            try node.signal("one", "hello", requestID: "first").get()
            try node.work(Samples.complete())
            try eventually("out of memory") { !node.isCached("one") }
            let pages = node.faults.journalPages.count
            #expect(try node.signal("one", "late", requestID: "second").error().code == .notFound)
            #expect(node.faults.journalPages.count == pages)
            #expect(try node.signal("one", "hello", requestID: "first").get() == run)
            #expect(node.faults.journalPages.count == pages + 1)
        }

        /// Callers who give up and ask again must not make the read that they wait for slower.
        @Test func readersOfAClosedRunShareTheRead() throws {
            let node = try Node(TestDatabase()).started()
            defer { node.stop() }
            try node.start("one").get()
            try node.work(Samples.complete())
            try eventually("out of memory") { !node.isCached("one") }
            let pages = node.faults.journalPages.count
            node.faults.holdLoader(at: .journals)
            var calls = [node.describe("one")]
            try eventually("the journal is read") { node.faults.isLoaderHolding(at: .journals) }
            calls += (0..<10).map { _ in node.describe("one") }
            node.faults.letLoaderGo()
            for call in calls { #expect(try call.get().workflowExecutionInfo?.status == .completed) }
            // The others were looked up when the first one had its answer.
            #expect(node.faults.journalPages.count == pages + 2)
        }
    }
}
