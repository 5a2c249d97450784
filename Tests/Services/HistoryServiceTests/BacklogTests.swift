import Foundation
import SagamoreAPI
import SagamoreEngine
import SagamoreEngineTestSupport
import SagamoreServices
import SagamoreThreads
import Testing

@testable import SagamoreHistoryService

extension HistoryTests {
    /// A task queue without workers next to one with workers.
    @Suite struct Backlog {
        /// How many tasks wait. `SAGAMORE_BACKLOG_TASKS` overrides the number.
        private static let size =
            ProcessInfo.processInfo.environment["SAGAMORE_BACKLOG_TASKS"].flatMap(Int.init) ?? 20_000

        /// The memory of this process, in bytes. It includes that of other suites.
        private static var residentBytes: Int {
            guard let text = try? String(contentsOfFile: "/proc/self/statm", encoding: .utf8) else { return 0 }
            let fields = text.split(separator: " ")
            return (fields.count > 1 ? Int(fields[1]) ?? 0 : 0) * Int(sysconf(Int32(_SC_PAGESIZE)))
        }

        /// Runs sagas of one activity, one after another, on a queue with workers. Returns the time per saga.
        private static func pace(_ node: Node, _ name: String, count: Int) throws -> Duration {
            let began = ContinuousClock.now
            for number in 0..<count {
                try node.start("\(name) \(number)", queue: "busy").get()
                try node.work(Samples.schedule("a") { $0.taskQueue = Samples.queue("busy") }, queue: "busy")
                try node.complete(try node.activityTask("busy")).get()
                try node.work(Samples.complete(), queue: "busy")
            }
            return (ContinuousClock.now - began) / count
        }

        /// Starts runs, a bounded number at a time.
        private static func fill(_ node: Node, _ range: Swift.Range<Int>) throws {
            var calls: [Call<StartedRun>] = []
            for number in range {
                calls.append(try node.start("waiting \(number)", queue: "dead"))
                if calls.count == 500 {
                    for call in calls { try call.get() }
                    calls = []
                }
            }
            for call in calls { try call.get() }
        }

        private static let waiting = "select count(*) from sagamore.backlog"

        @Test func aQueueWithoutWorkersCostsNoMemoryAndSlowsNobody() throws {
            let database = try TestDatabase(shards: 2)
            let clock = TestClock()
            var node = try Node(database, clock: clock).started()
            node.faults.forgetBatches()
            _ = try Self.pace(node, "warm", count: 20)
            let before = try Self.pace(node, "before", count: 40)

            // The first part also fills the queue in memory. Only the growth after it is measured.
            let part = Self.size / 4
            try Self.fill(node, 0..<part)
            try eventually("marked") { try database.number(Self.waiting) >= Int64(part - 2_000) }
            try eventually("left") { node.cachedCount <= 2_500 }
            let first = Self.residentBytes
            try Self.fill(node, part..<Self.size)
            try eventually("marked") { try database.number(Self.waiting) >= Int64(Self.size - 2_000) }
            try eventually("left") { node.cachedCount <= 2_500 }
            let grown = Self.residentBytes - first
            let perTask = Double(grown) / Double(Self.size - part)
            let beside = try Self.pace(node, "beside", count: 40)
            print(
                "backlog of \(Self.size): \(grown >> 10) kB more, \(perTask) bytes a task; \(before) before,"
                    + " \(beside) beside"
            )
            if ProcessInfo.processInfo.environment["SAGAMORE_BACKLOG_TASKS"] != nil {
                #expect(perTask < 400)
            }
            // The disk may be slow at times. Only a large difference is the backlog's fault.
            #expect(beside < before * 3 + .milliseconds(30), "\(before) a saga before, \(beside) beside the backlog")

            // The backlog survives a restart.
            node.kill()
            node = try Node(database, clock: clock).started()
            defer { node.stop() }
            node.faults.forgetBatches()
            #expect(node.cachedCount <= 4_500)
            let order = try Self.drain(node)
            #expect(Set(order).count == Self.size)
            #expect(order.count == Self.size, "a task was given twice")
            // The order is rough: the first quarter comes before the last one.
            let firstQuarter = order.prefix(Self.size / 2).count { $0 < part }
            #expect(firstQuarter > part * 9 / 10, "\(firstQuarter) of the first \(part) in the first half")
            try eventually("unmarked") { try database.number(Self.waiting) == 0 }
            #expect(try database.number("select count(*) from sagamore.runs where status = 2") >= Int64(Self.size))
            try database.checkNumbers()
        }

        /// Workers drain the backlog. Returns the numbers of the runs in the order in which their tasks came.
        private static func drain(_ node: Node) throws -> [Int] {
            var order: [Int] = []
            var polls = (0..<64).map { _ in node.pollWorkflowTask("dead") }
            var completions: [Call<CompletedWorkflowTask>] = []
            while order.count < size {
                let poll = polls.removeFirst()
                guard case .task(let task) = try poll.get() else { break }
                order.append(try #require(Int(task.key.workflowID.dropFirst("waiting ".count))))
                completions.append(try node.complete(task, [Samples.complete()]))
                if order.count + polls.count < size { polls.append(node.pollWorkflowTask("dead")) }
                if completions.count == 200 {
                    for completion in completions { try completion.get() }
                    completions = []
                }
            }
            for completion in completions { try completion.get() }
            return order
        }

        /// The queue has no room for a retry, and the run cannot leave memory.
        @Test func aRetryThatFindsNoRoomIsNotLost() throws {
            let node = try Node(TestDatabase()).started()
            defer { node.stop() }
            try node.start("one").get()
            try node.work(Samples.schedule("a"), Samples.startTimer("soon", .seconds(9)))
            let first = try node.activityTask()
            // Another run fills the queue.
            try node.start("filler").get()
            let filling = (0..<2_000).map { Samples.schedule("\($0)") }
            try node.complete(try node.workflowTask(), filling).get()
            try node.fail(first).get()
            node.clock.jump(.seconds(2))
            try eventually("paged out") {
                node.faults.committed.contains { batch in
                    batch.backlog.contains { if case .store = $0 { true } else { false } }
                }
            }
            #expect(node.isCached("one"))
            var polls = (0..<100).map { _ in node.pollActivity() }
            var attempts: [Int32] = []
            for _ in 0...2_000 {
                let task = try #require(try polls.removeFirst().get())
                if task.key.workflowID == "one" { attempts.append(task.delivery.activity.attempt) }
                polls.append(node.pollActivity())
            }
            #expect(attempts == [2])
        }

        /// Its deadline has fired, and its row is read while it is not due any more.
        @Test func aRetryThatFindsNoRoomIsNotLostWhenTheClockGoesBack() throws {
            let node = try Node(TestDatabase()).started()
            defer { node.stop() }
            try node.start("one").get()
            // The second activity keeps the run in memory.
            try node.work(Self.schedule("a", on: "full"), Self.schedule("b", on: "other"))
            let first = try node.activityTask("full")
            try Self.fill(node, "full")
            try node.fail(first).get()
            node.clock.jump(.seconds(30))
            try eventually("paged out") {
                node.faults.committed.contains { batch in
                    batch.backlog.contains { if case .store = $0 { true } else { false } }
                }
            }
            node.clock.jump(.seconds(-60))
            let fillers = try Self.take(2_000, "full", of: node)
            #expect(fillers.allSatisfy { $0 == "filler of full" })
            try eventually("paged in") {
                node.faults.committed.contains { batch in
                    batch.backlog.contains { if case .remove = $0 { true } else { false } }
                }
            }
            #expect(node.isCached("one"))
            node.clock.jump(.seconds(60))
            // The polls of before wait in front of this one.
            try eventually("the retry is started") {
                node.shard.perform {
                    let run = node.shard.state.runs[Node.key("one")]?.cached
                    return run?.execution.durable.activities.values.contains { $0.isStarted && $0.attempt == 2 }
                        ?? false
                }
            }
        }

        private static func schedule(_ activityID: String, on queue: String) -> Command {
            Samples.schedule(activityID) { attributes in
                attributes.taskQueue = Samples.queue(queue)
                attributes.startToCloseTimeout = Interval.seconds(600).duration
            }
        }

        /// Fills a queue with the activities of a separate run.
        private static func fill(_ node: Node, _ queue: String) throws {
            try node.start("filler of \(queue)", queue: queue).get()
            let commands = (0..<2_000).map { schedule("\($0)", on: queue) }
            try node.complete(try node.workflowTask(queue), commands).get()
        }

        /// Polls activities of a queue. Returns their workflow ids.
        private static func take(_ count: Int, _ queue: String, of node: Node) throws -> [String] {
            var polls = (0..<100).map { _ in node.pollActivity(queue) }
            var workflowIDs: [String] = []
            for _ in 0..<count {
                workflowIDs.append(try #require(try polls.removeFirst().get()).key.workflowID)
                polls.append(node.pollActivity(queue))
            }
            return workflowIDs
        }

        @Test func aRunWithTasksOfTwoFullQueuesLeavesMemory() throws {
            let node = try Node(TestDatabase()).started()
            defer { node.stop() }
            try Self.fill(node, "first")
            try Self.fill(node, "second")
            // A deadline within the alarm horizon would keep the run in memory, so its workflow task has a long
            // timeout.
            try node.start("one") { $0.workflowTaskTimeout = Interval.seconds(120).duration }.get()
            try node.work(Self.schedule("a", on: "first"), Self.schedule("b", on: "second"))
            try eventually("out of memory") { !node.isCached("one") }
            for queue in ["first", "second"] {
                let workflowIDs = try Self.take(2_001, queue, of: node)
                #expect(workflowIDs.count { $0 == "one" } == 1, "from the queue \(queue)")
            }
        }

        /// After the crash the rows of offered tasks are still stored, and so is the alarm of a run out of memory.
        @Test func aCrashBetweenAPageAndTheEndOfItsRowsLosesAndDoublesNothing() throws {
            let database = try TestDatabase()
            let clock = TestClock()
            let node = try Node(database, clock: clock).started()
            try Self.fill(node, "dead")
            for id in ["one", "two"] {
                try node.start(id) { $0.workflowTaskTimeout = Interval.seconds(120).duration }.get()
                try node.work(Self.schedule("a", on: "dead"))
                try eventually("out of memory") { !node.isCached(id) }
            }
            #expect(try database.number(Self.waiting) == 2)
            // Commits are held: the page is read and its tasks are offered, but their rows stay.
            node.faults.hold()
            node.history.pageIn(node.activityQueue("dead"), limit: 10)
            try eventually("offered") { node.isCached("one") && node.isCached("two") }
            try eventually("commit at the gate") { node.faults.isHolding }
            node.kill()
            #expect(try database.number(Self.waiting) == 2)

            let next = try Node(database, clock: clock).started()
            defer { next.stop() }
            let workflowIDs = try Self.take(2_002, "dead", of: next)
            #expect(workflowIDs.count { $0 == "one" } == 1)
            #expect(workflowIDs.count { $0 == "two" } == 1)
            #expect(workflowIDs.count { $0 == "filler of dead" } == 2_000)
            try eventually("no rows") { try database.number(Self.waiting) == 0 }
        }

        /// The next page would find the rows of the last one, and fill a slow lane with their removals.
        @Test func aPageIsOverWhenItsRowsAreGone() throws {
            let node = try Node(TestDatabase()).started()
            defer { node.stop() }
            try Self.fill(node, "dead")
            try node.start("one") { $0.workflowTaskTimeout = Interval.seconds(120).duration }.get()
            try node.work(Self.schedule("a", on: "dead"))
            try eventually("out of memory") { !node.isCached("one") }
            node.faults.hold()
            let commits = node.faults.committed.count
            let isOver = Locked(false)
            node.shard.loads.add(.pageIn(node.activityQueue("dead"), limit: 10) { _ in isOver.withLock { $0 = true } })
            try eventually("commit at the gate") { node.isCached("one") && node.faults.isHolding }
            #expect(!isOver.withLock { $0 })
            node.faults.letGo()
            try eventually("over") { isOver.withLock { $0 } }
            // The row is removed, or replaced if the queue was still full.
            #expect(node.faults.committed[commits...].contains { !$0.backlog.isEmpty })
        }

        /// Readers of many such runs would fill a slow lane with rows that are there, and nothing would be paged in.
        @Test func aReaderOfARunInTheBacklogWritesNothing() throws {
            let database = try TestDatabase()
            let node = try Node(database).started()
            defer { node.stop() }
            try Self.fill(node, "dead")
            try node.start("one") { $0.workflowTaskTimeout = Interval.seconds(120).duration }.get()
            try node.work(Self.schedule("a", on: "dead"))
            try eventually("out of memory") { !node.isCached("one") }
            // The first alarm may be that of the completed workflow task's timeout, which a loaded run does not have.
            _ = try node.describe("one").get()
            try eventually("out of memory") { !node.isCached("one") }
            let commits = node.faults.committed.count
            // Each reader loads the run, and its task is offered to the full queue again.
            for _ in 0..<3 {
                _ = try node.describe("one").get()
                try eventually("out of memory") { !node.isCached("one") }
            }
            #expect(node.faults.committed.count == commits)
            #expect(try database.number(Self.waiting) == 1)
            // The queue knows that its backlog has a row.
            let workflowIDs = try Self.take(2_001, "dead", of: node)
            #expect(workflowIDs.count { $0 == "one" } == 1)
            try eventually("no rows") { try database.number(Self.waiting) == 0 }
        }

        /// A change sets the alarm to active: after a crash the run is recovered, whether it has a row or not.
        @Test func aRunInTheBacklogThatChangedIsWrittenAgain() throws {
            let database = try TestDatabase()
            let node = try Node(database).started()
            defer { node.stop() }
            try Self.fill(node, "dead")
            try node.start("one") { $0.workflowTaskTimeout = Interval.seconds(120).duration }.get()
            try node.work(Self.schedule("a", on: "dead"))
            try eventually("out of memory") { !node.isCached("one") }
            try node.signal("one", "hello").get()
            let active =
                "select count(*) from sagamore.alarms a join sagamore.runs using (run_id)"
                + " where workflow_id = 'one' and alarm_at is null"
            #expect(try database.number(active) == 1)
            // The signal's workflow task is in another queue.
            try node.work()
            try eventually("out of memory") { !node.isCached("one") }
            #expect(try database.number(active) == 0)
            let workflowIDs = try Self.take(2_001, "dead", of: node)
            #expect(workflowIDs.count { $0 == "one" } == 1)
        }

        /// Each task has its own row, and either queue may have room first.
        @Test(arguments: [["first", "second"], ["second", "first"]])
        func aRunThatWaitsForTwoQueuesComesBackForEither(_ order: [String]) throws {
            let node = try Node(TestDatabase()).started()
            defer { node.stop() }
            try Self.fill(node, "first")
            try Self.fill(node, "second")
            try node.start("one").get()
            try node.work(Self.schedule("a", on: "first"), Self.schedule("b", on: "second"))
            for queue in order {
                let workflowIDs = try Self.take(2_001, queue, of: node)
                #expect(workflowIDs.count { $0 == "one" } == 1, "from the queue \(queue)")
            }
        }

        /// The other task is in no backlog, so recovery must find it.
        @Test func aTaskBesideOneThatFindsNoRoomIsThereAfterARestart() throws {
            let database = try TestDatabase()
            let clock = TestClock()
            let node = try Node(database, clock: clock).started()
            try Self.fill(node, "dead")
            // A deadline within the alarm horizon would keep the run in memory, so its workflow task has a long
            // timeout.
            try node.start("one") { $0.workflowTaskTimeout = Interval.seconds(120).duration }.get()
            try node.work(Self.schedule("a", on: "dead"), Self.schedule("b", on: "busy"))
            try eventually("marked") { try database.number(Self.waiting) == 1 }
            node.kill()

            let next = try Node(database, clock: clock).started()
            defer { next.stop() }
            let task = try next.activityTask("busy")
            #expect(task.key.workflowID == "one")
            // Now the only due task waits for room, so the run leaves memory.
            try eventually("out of memory") { !next.isCached("one") }
            try next.complete(task).get()
        }

        /// The answer of a service that has stopped must not be the next question to it.
        @Test func aBacklogIsNotReadOnceTheServiceHasStopped() throws {
            let node = try Node(TestDatabase()).started()
            defer { node.stop() }
            node.history.stop()
            let queue = node.activityQueue("dead")
            node.matching.backlogStored(queue)
            node.matching.backlogStored(queue)
        }

        @Test func aQueryThatFindsNoRoomIsRefused() throws {
            let node = try Node(TestDatabase()).started()
            defer { node.stop() }
            try node.start("one").get()
            try node.work()
            let query = node.query("one")
            let id = try #require(node.shard.perform { node.shard.state.queries.pending.first?.id })
            let run = try #require(node.shard.perform { node.shard.state.runs[Node.key("one")]?.cached })
            node.history.pageOut(
                MatchingTask(
                    queue: node.workflowQueue("travel"),
                    key: run.key,
                    runID: run.runID,
                    kind: .query(id, isSticky: false)
                )
            )
            #expect(try query.error().code == .resourceExhausted)
        }
    }
}
