import Foundation
import SagamoreAPI
import SagamoreEngine
import SagamoreEngineTestSupport
import SagamorePersistence
import SagamoreServices
import Testing

@testable import SagamoreHistoryService

extension HistoryTests {
    /// Idle runs leave memory and come back.
    @Suite struct Parking {
        @Test func anIdleRunLeavesMemoryAndItsAlarmIsRight() throws {
            let database = try TestDatabase()
            let node = try Node(database).started()
            defer { node.stop() }
            let alarm = "select coalesce(alarm_at, 0) from sagamore.alarms"
            try node.start("one").get()
            #expect(try database.number(alarm) == 0)
            try node.work(Samples.startTimer("timer", .seconds(600)))
            let fires = try #require(
                node.shard.perform {
                    node.shard.state.runs[Node.key("one")]?.cached?.execution.durable.timers.values.first?.fireAt
                }
            )
            // By then the timeout of the completed task has passed.
            node.clock.jump(.seconds(20))
            try eventually("parked") { !node.isCached("one") }
            #expect(try database.number(alarm) == fires.nanoseconds)
            #expect(node.shard.perform { node.shard.state.runs.contexts.isEmpty })

            // The run comes back for a signal, and the signal's transaction resets its alarm.
            try node.signal("one", "hello").get()
            #expect(try database.number(alarm) == 0)
            try node.work()
            node.clock.jump(.seconds(20))
            try eventually("parked") { !node.isCached("one") }
            #expect(try database.number(alarm) == fires.nanoseconds)

            // The run comes back shortly before its timer fires.
            node.clock.jump(.seconds(600 - 40 - 5))
            try eventually("back") { node.isCached("one") }
            #expect(try node.outline("one").contains { $0.hasSuffix("TimerFired") } == false)
            node.clock.jump(.seconds(6))
            try eventually("fired") { try node.outline("one").contains { $0.hasSuffix("TimerFired") } }
            try node.work(Samples.complete())
            #expect(try database.number("select count(*) from sagamore.alarms") == 0)
        }

        @Test func aRunThatWasOnlyReadLeavesWithoutACommit() throws {
            let database = try TestDatabase()
            let node = try Node(database).started()
            defer { node.stop() }
            try node.start("one").get()
            try node.work(Samples.startTimer("timer", .seconds(600)))
            // By then the timeout of the completed task has passed.
            node.clock.jump(.seconds(20))
            try eventually("parked") { !node.isCached("one") }
            let commits = node.faults.committed.count
            for _ in 0..<2 {
                _ = try node.describe("one").get()
                node.clock.jump(.seconds(20))
                try eventually("parked") { !node.isCached("one") }
            }
            #expect(node.faults.committed.count == commits)
            // Its alarm still holds.
            node.clock.jump(.seconds(600))
            try eventually("fired") { try node.outline("one").contains { $0.hasSuffix("TimerFired") } }
        }

        /// The clock went back: an activity that nobody has started seems to be due later, but no alarm would bring the
        /// run back for it.
        @Test func aRunWithAnOfferedActivityStaysWhenTheClockGoesBack() throws {
            let node = try Node(try TestDatabase()).started()
            defer { node.stop() }
            try node.start("one").get()
            try node.work(Samples.schedule("a"))
            let before = node.clock.now + .seconds(-1_000)
            let mayLeave = node.shard.perform { () -> Bool? in
                let run = node.shard.state.runs[Node.key("one")]?.cached
                return run?.canLeave(at: before, horizon: .zero, QueryTable(), DebtQueue())
            }
            #expect(mayLeave == false)
        }

        @Test func itComesForQueriesAndLongPolls() throws {
            let node = try Node(TestDatabase()) { $0.historyWait = .seconds(1_000) }.started()
            defer { node.stop() }
            try node.start("one").get()
            try node.work()
            func park() throws {
                node.clock.jump(.seconds(20))
                try eventually("parked") { !node.isCached("one") }
            }
            try park()
            let query = node.query("one")
            try node.answer(try node.queryTask(), "fine").get()
            #expect(text(try query.get()) == "fine")
            try park()
            let follower = node.page("one", waits: true, onlyClose: true)
            try eventually("waits") { node.shard.perform { !node.shard.state.runs.waitedFor.isEmpty } }
            try park()
            #expect(!follower.isAnswered)
            try node.terminate("one").get()
            #expect(try decoded(try follower.get().frames).map(\.eventType) == [.workflowExecutionTerminated])
        }

        @Test func aQueryThatNobodyWaitsForAnyMoreIsForgotten() throws {
            let node = try Node(TestDatabase()).started()
            defer { node.stop() }
            // The query waits for the first workflow task, which no worker takes.
            try node.start("one").get()
            let run = try #require(node.shard.perform { node.shard.state.runs[Node.key("one")]?.cached })
            let query = node.query("one", deadline: node.clock.now + .seconds(5))
            #expect(node.shard.perform { node.shard.state.queries.isBound(to: run.runID) })
            node.clock.jump(.seconds(20))
            #expect(try query.error().code == .deadlineExceeded)
            // A query that stayed would keep the run in memory.
            #expect(!node.shard.perform { node.shard.state.queries.isBound(to: run.runID) })
        }

        @Test func aRunThatWaitsForOthersOnlyNeedsNoAlarm() throws {
            let database = try TestDatabase()
            let node = try Node(database).started()
            defer { node.stop() }
            try node.start("one").get()
            try node.work()
            node.clock.jump(.seconds(20))
            try eventually("parked") { !node.isCached("one") }
            #expect(try database.number("select alarm_at from sagamore.alarms") == .max)
        }

        @Test func whatIsDueKeepsARunInMemory() throws {
            let node = try Node(TestDatabase()).started()
            defer { node.stop() }
            try node.start("due").get()
            try node.start("held").get()
            let tasks = [try node.workflowTask(), try node.workflowTask()]
            for task in tasks where task.key.workflowID == "held" {
                try node.complete(
                    task,
                    [Samples.schedule("a") { $0.startToCloseTimeout = Interval.seconds(1_000).duration }]
                )
                .get()
            }
            node.clock.jump(.milliseconds(1_500))
            for _ in 0..<600 where node.cachedCount == 2 { usleep(1_000) }
            #expect(node.cachedCount == 2)
        }

        /// The alarms need more than one page.
        @Test func manyTimersOfOneMomentAllFire() throws {
            let database = try TestDatabase()
            let node = try Node(database).started()
            defer { node.stop() }
            let count = 1_200
            let starts = try (0..<count).map { number in
                try node.start("run \(number)") { $0.workflowStartDelay = Interval.seconds(3_600).duration }
            }
            for start in starts { try start.get() }
            node.clock.jump(.seconds(20))
            try eventually("parked") { node.cachedCount == 0 }
            node.clock.jump(.seconds(3_575))
            try eventually("back") { node.cachedCount == count }
            node.clock.jump(.seconds(20))
            var seen: Set<String> = []
            for _ in 0..<count { seen.insert(try node.work(Samples.complete()).key.workflowID) }
            #expect(seen.count == count)
        }

        /// Signals race with parking. No signal and no run is lost.
        @Test func signalsThatRaceWithParkingAreNotLost() throws {
            let seed =
                ProcessInfo.processInfo.environment["SAGAMORE_HISTORY_SEED"].flatMap(UInt64.init)
                ?? UInt64.random(in: 0 ... .max)
            print("parking test: seed \(seed)")
            var random = SeededGenerator(seed: seed)
            let database = try TestDatabase(shards: 2)
            let clock = TestClock()
            func next() throws -> Node {
                try Node(database, clock: clock) { configuration in
                    configuration.parkAfter = .milliseconds(1)
                    configuration.alarmHorizon = .milliseconds(1)
                }.started()
            }
            var node = try next()
            let runs = (0..<8).map { "run \($0)" }
            for run in runs {
                try node.start(run).get()
                try node.work()
            }
            var expected: [String: [String]] = [:]
            for step in 0..<240 {
                let run = try #require(runs.randomElement(using: &random))
                switch Int.random(in: 0..<12, using: &random) {
                case 0..<7:
                    let name = "signal \(step)"
                    let call = try node.signal(run, name, requestID: name)
                    if random.once(in: 3) { try node.signal(run, name, requestID: name).get() }
                    try call.get()
                    expected[run, default: []].append(name)
                case 7: _ = try node.describe(run).get()
                // Timeouts of completed tasks keep runs in memory for a while.
                case 8, 9: clock.jump(.seconds(11))
                case 10:
                    guard random.once(in: 6) else { continue }
                    node.kill()
                    node = try next()
                default:
                    usleep(UInt32.random(in: 0..<300_000, using: &random) / (random.once(in: 4) ? 1 : 20))
                }
                // A worker drains the queue from time to time, so that runs go idle.
                if step % 6 == 0 {
                    let poll = node.pollWorkflowTask(deadline: clock.now + .milliseconds(30))
                    while case .task(let task) = try poll.get() {
                        try node.complete(task).get()
                        break
                    }
                }
                // All runs are parked several times, however slow the machine is.
                if step % 60 == 59 {
                    while let task = try node.workflowTaskIfDue() { try node.complete(task).get() }
                    clock.jump(.seconds(20))
                    try eventually("all parked, seed \(seed)") { node.cachedCount == 0 }
                }
            }
            for run in runs { #expect(try node.signals(run) == expected[run, default: []], "\(run), seed \(seed)") }
            // A signaled run has a workflow task.
            var finished: Set<String> = []
            for run in runs { try node.signal(run, "last").get() }
            while finished.count < runs.count {
                finished.insert(try node.work(Samples.complete()).key.workflowID)
            }
            for run in runs {
                #expect(try node.status(run) == .completed)
                #expect(HistoryRules.violations(in: try node.events(run)) == [])
            }
            try database.checkNumbers()
            node.stop()
        }
    }
}
