import Foundation
import SagamoreEngine
import SagamoreEngineTestSupport
import SagamoreServices
import Testing

@testable import SagamoreHistoryService

extension HistoryTests {
    /// The connection breaks before, during or after a commit.
    @Suite struct Outcome {
        @Test(arguments: [Faults.Cut.before, .unknownAndAbsent, .unknownAndThere])
        func effectsAreReleasedOnceWhateverBecameOfTheCommit(_ cut: Faults.Cut) throws {
            let database = try TestDatabase()
            let node = try Node(database).started()
            defer { node.stop() }
            let epoch = try database.epoch()
            let poll = node.pollWorkflowTask()
            node.faults.cut(cut)
            let commands = [
                node.submit(try node.startCommand("one", "start", offset: 1)),
                node.submit(try node.signalCommand("one", "signal", offset: 2)),
                node.submit(try node.signalCommand("absent", "refused", offset: 3)),
            ]
            #expect(try commands.map { try $0.get() } == [.carriedOut, .carriedOut, .rejected])
            #expect(!node.faults.hasCuts)
            #expect(try database.epoch() == epoch + 1)
            guard case .task(let task) = try poll.get() else { return #expect(Bool(false), "no task came") }
            // The signal arrived before the worker got the task, or while it had the task.
            try node.complete(task).get()
            try node.signal("one", "go").get()
            try node.work(Samples.complete())
            for (number, cut) in [Faults.Cut.unknownAndThere, cut, cut].enumerated() {
                node.faults.cut(cut)
                try node.start("more \(number)").get()
                try node.signal("more \(number)", "signal").get()
            }
            let records = try database.texts(
                "select convert_from(value, 'UTF8') from sagamore.outbox order by sequence"
            )
            #expect(
                records.sorted() == [
                    "accepted start 1", "delivered signal 1", "passed start 2", "rejected refused 1",
                ]
            )
            #expect(try node.signals("one") == ["signal", "go"])
            #expect(try database.number("select count(*) from sagamore.inbox") == 3)
            #expect(node.fencedShards.isEmpty)
            try database.checkNumbers()
        }

        @Test func aRetakeThatIsCutOffBehindItsCommitDoesNotFenceItself() throws {
            let database = try TestDatabase()
            let node = try Node(database).started()
            defer { node.stop() }
            node.faults.cut(.unknownAndThere)
            node.faults.cutRetakes(.before, .unknownAndThere, .unknownAndThere)
            let command = try node.startCommand("one", "start", offset: 1)
            #expect(try node.submit(command).get() == .carriedOut)
            try node.signal("one", "signal").get()
            #expect(node.fencedShards.isEmpty && !node.faults.hasCuts)
            #expect(try database.number("select count(*) from sagamore.outbox") == 1)
            try database.checkNumbers()
        }

        @Test func aLaneWhoseSessionIsEndedGoesOn() throws {
            let database = try TestDatabase()
            let node = try Node(database).started()
            defer { node.stop() }
            var calls: [Call<CommandOutcome>] = []
            for number in 0..<60 {
                if number % 20 == 10 { try database.cutLanes() }
                let command = try node.startCommand("run \(number)", "start \(number)", offset: Int64(number))
                calls.append(node.submit(command))
            }
            for (number, call) in calls.enumerated() {
                // A command that is refused during the outage is submitted again, as the topic's reader does.
                var outcome = call
                while true {
                    do {
                        _ = try outcome.get()
                        break
                    } catch let error as RequestError where error.code == .unavailable {
                        usleep(10_000)
                        let again = try node.startCommand("run \(number)", "start \(number)", offset: Int64(number))
                        outcome = node.submit(again)
                    }
                }
            }
            #expect(try database.number("select count(*) from sagamore.runs") == 60)
            #expect(try database.number("select count(distinct value) from sagamore.outbox") == 60)
            #expect(try database.number("select count(*) from sagamore.outbox") == 60)
            #expect(node.fencedShards.isEmpty)
            try database.checkNumbers()
        }

        @Test func aTaskWhoseQueueIsFullIsNotLostWhileTheDatabaseIsAway() throws {
            let node = try Node(TestDatabase()).started()
            defer { node.stop() }
            try node.start("one").get()
            let due = node.shard.perform { () -> MatchingTask? in
                guard let run = node.shard.state.runs[Node.key("one")]?.cached else { return nil }
                return run.execution.dueTasks().first.map { $0.task(of: run) }
            }
            let task = try #require(due)
            node.faults.loaderIsDown(true)
            // Matching has no room, and the shard refuses requests because it is stalled.
            node.shard.perform { node.shard.state.ownership.stall(since: .distantPast) }
            #expect(try node.describe("one").error().code == .unavailable)
            node.history.pageOut(task)
            #expect(node.shard.perform { node.shard.state.deferred.retryCount } == 1)
            node.faults.loaderIsDown(false)
            node.shard.perform { node.shard.state.ownership.resume() }
            try eventually("marked") {
                node.faults.committed.contains { batch in
                    batch.backlog.contains { if case .store = $0 { true } else { false } }
                }
            }
            #expect(try node.workflowTask().key.workflowID == "one")
        }

        /// While the database is away workers cannot report. Afterwards they get time to, before anything times out.
        @Test func workersMayReportOnceTheDatabaseIsBack() throws {
            let clock = TestClock()
            let node = try Node(TestDatabase(), clock: clock) { $0.recoveryGrace = .seconds(10) }.started()
            defer { node.stop() }
            try node.start("one").get()
            clock.jump(.seconds(60))
            let activities = ["start-to-close", "heartbeat", "schedule-to-close"].map { id in
                Samples.schedule(id) { attributes in
                    let timeout = Interval.seconds(60).duration
                    attributes.startToCloseTimeout = Interval.seconds(600).duration
                    if id == "start-to-close" { attributes.startToCloseTimeout = timeout }
                    if id == "heartbeat" { attributes.heartbeatTimeout = timeout }
                    if id == "schedule-to-close" { attributes.scheduleToCloseTimeout = timeout }
                }
            }
            let task = try node.workflowTask()
            try node.complete(task, activities + [Samples.startTimer("later", .seconds(61))]).get()
            let running = try activities.map { _ in try node.activityTask() }
            node.faults.cutRetakes(.before, .before, .before, .before, .before)
            node.faults.cut(.before)
            let signal = try node.signal("one", "cut")
            try eventually("away") { node.shard.perform { node.shard.state.ownership.isStalled } }
            clock.jump(.seconds(62))
            _ = try signal.get()
            try eventually("the timer fired") { try node.outline("one").contains { $0.hasSuffix("TimerFired") } }
            for activity in running { try node.complete(activity).get() }
            #expect(try node.outline("one").allSatisfy { !$0.hasSuffix("ActivityTaskTimedOut") })
        }
    }
}
