import Foundation
import SagamoreAPI
import SagamoreEngine
import SagamoreEngineTestSupport
import SagamoreServices
import Testing

@testable import SagamoreHistoryService

extension HistoryTests {
    /// The process is killed, and another takes over.
    @Suite struct Restart {
        @Test func whileARunIsParked() throws {
            let database = try TestDatabase()
            let clock = TestClock()
            let node = try Node(database, clock: clock).started()
            for id in ["timer", "signal", "query"] {
                try node.start(id).get()
                try node.work(Samples.startTimer("timer", .seconds(600)))
            }
            clock.jump(.seconds(20))
            try eventually("parked") { node.cachedCount == 0 }
            node.kill()

            let next = try Node(database, clock: clock).started()
            defer { next.stop() }
            #expect(next.cachedCount == 0)
            #expect(try next.status("signal") == .running)
            try next.signal("signal", "hello").get()
            #expect(try next.work(Samples.complete()).key.workflowID == "signal")
            let query = next.query("query")
            try next.answer(try next.queryTask(), "fine").get()
            #expect(text(try query.get()) == "fine")
            clock.jump(.seconds(600))
            for _ in 0..<2 { try next.work(Samples.complete()) }
            #expect(try next.outline("timer").contains { $0.hasSuffix("TimerFired") })
            for id in ["timer", "signal", "query"] { #expect(try next.status(id) == .completed) }
        }

        /// The signal came while a worker held the task, so the task does not show it when it is started again.
        @Test func aQueryWaitsForTheTaskThatShowsEarlierSignals() throws {
            let database = try TestDatabase()
            let node = try Node(database).started()
            try node.start("one").get()
            _ = try node.workflowTask()
            try node.signal("one", "early").get()
            node.kill()

            let next = try Node(database).started()
            defer { next.stop() }
            let query = next.query("one")
            let task = try next.workflowTask()
            let showsSignal = try decoded(task.history).contains { $0.eventType == .workflowExecutionSignaled }
            #expect(showsSignal || task.queries.isEmpty)
            if showsSignal { return }
            try next.complete(task).get()
            let last = try next.workflowTask()
            #expect(try decoded(last.history).contains { $0.eventType == .workflowExecutionSignaled })
            #expect(last.queries.count == 1)
            #expect(!query.isAnswered)
        }

        @Test func rightAfterARunClosed() throws {
            let database = try TestDatabase()
            let node = try Node(database).started()
            let run = try node.start("one", requestID: "start").get()
            try node.signal("one", "early", requestID: "early").get()
            let task = try node.workflowTask()
            try node.complete(task, [Samples.complete("done")]).get()
            node.kill()

            let next = try Node(database).started()
            defer { next.stop() }
            // The worker did not get the answer, and repeats the completion twice.
            for _ in 0..<2 {
                let answer = try next.complete(task, [Samples.complete("done")]).get()
                #expect(answer.eagerActivities.isEmpty && answer.nextTask == nil)
            }
            #expect(try next.status("one") == .completed)
            #expect(try next.events("one").count == 6)
            let end = try next.page("one", waits: true, onlyClose: true).get()
            #expect(try decoded(end.frames).map(\.eventType) == [.workflowExecutionCompleted])
            #expect(try next.signal("one", "late").error().code == .notFound)
            // A signal that took effect before is answered, although the run is known only from its journal.
            #expect(try next.signal("one", "early", requestID: "early").get() == run.runID)
            #expect(try next.signal("one", "late", requestID: "late").error().code == .notFound)
            #expect(try next.start("one", requestID: "start").get().runID == run.runID)
            let again = try next.start("one").get()
            #expect(again.runID > run.runID)
            #expect(try next.status("one", run.runID) == .completed)
            #expect(try next.status("one") == .running)
            #expect(try database.number("select count(*) from sagamore.alarms") == 1)
        }

        @Test func whileAWorkerHasAWorkflowTask() throws {
            let database = try TestDatabase()
            let node = try Node(database).started()
            try node.start("one").get()
            let lost = try node.workflowTask()
            // The signals are buffered until the task ends.
            try node.signal("one", "first", requestID: "first").get()
            try node.signal("one", "second").get()
            #expect(try node.signals("one") == [])
            node.kill()

            let next = try Node(database).started()
            defer { next.stop() }
            #expect(try next.signals("one") == ["first", "second"])
            try next.signal("one", "first", requestID: "first").get()
            try next.signal("one", "third").get()
            // The earlier worker is too late, because its task was given to another worker.
            #expect(try next.complete(lost, [Samples.complete()]).error().code == .notFound)
            let task = try next.workflowTask()
            #expect(try next.complete(lost, [Samples.complete()]).error().code == .notFound)
            let seen = try decoded(task.history).map { $0.eventType.shortName }
            let signals = Array(repeating: "WorkflowExecutionSignaled", count: 3)
            #expect(seen == ["WorkflowExecutionStarted", "WorkflowTaskScheduled"] + signals + ["WorkflowTaskStarted"])
            try next.complete(task, [Samples.complete()]).get()
            #expect(HistoryRules.violations(in: try next.events("one")) == [])
            #expect(try next.status("one") == .completed)
        }

        @Test func withActivitiesRunning() throws {
            let database = try TestDatabase()
            let clock = TestClock()
            let node = try Node(database, clock: clock).started()
            try node.start("one").get()
            let commands = ["done", "failed", "waiting", "timed out"].map { id in
                Samples.schedule(id) { attributes in
                    attributes.startToCloseTimeout = Interval.seconds(id == "timed out" ? 40 : 600).duration
                    attributes.taskQueue = Samples.queue("queue of \(id)")
                    if id == "timed out" {
                        attributes.retryPolicy = RetryPolicy()
                        attributes.retryPolicy?.maximumAttempts = 1
                    }
                }
            }
            try node.complete(try node.workflowTask(), commands).get()
            let done = try node.activityTask("queue of done")
            let failed = try node.activityTask("queue of failed")
            _ = try node.activityTask("queue of timed out")
            node.kill()

            let next = try Node(database, clock: clock).started()
            // Activity tokens name the attempt, not the owner.
            try next.complete(done).get()
            #expect(try next.complete(done).error().code == .notFound)
            try next.fail(failed).get()
            next.kill()

            let last = try Node(database, clock: clock).started()
            defer { last.stop() }
            // The retry is due after a second, under any owner.
            clock.jump(.seconds(2))
            let retried = try last.activityTask("queue of failed")
            #expect(retried.delivery.activity.attempt == 2)
            try last.complete(retried).get()
            try last.complete(try last.activityTask("queue of waiting")).get()
            clock.jump(.seconds(40))
            try eventually("timed out") {
                try last.outline("one").contains { $0.hasSuffix("ActivityTaskTimedOut") }
            }
            try last.work(Samples.complete())
            #expect(HistoryRules.violations(in: try last.events("one")) == [])
            #expect(try last.status("one") == .completed)
        }

        /// A retry that was offered, and that no worker has taken, must survive the process.
        @Test func withADueRetryThatNobodyTook() throws {
            let database = try TestDatabase()
            let clock = TestClock()
            let node = try Node(database, clock: clock).started()
            try node.start("one").get()
            try node.work(Samples.schedule("a"))
            try node.fail(try node.activityTask()).get()
            clock.jump(.seconds(30))
            // Its deadline has passed and was removed, so only Matching knows the task.
            let offered = {
                node.shard.perform { node.shard.state.runs[Node.key("one")]?.cached?.execution.nextDeadline == nil }
            }
            try eventually("offered") { offered() || !node.isCached("one") }
            clock.jump(.seconds(30))
            // Long enough for sweeps to park an idle run.
            for _ in 0..<700 where node.isCached("one") { usleep(1_000) }
            node.kill()

            let next = try Node(database, clock: clock).started()
            defer { next.stop() }
            #expect(try next.activityTask().delivery.activity.attempt == 2)
        }

        @Test func aCompletionThatIsSentAgainGetsTheSameAnswer() throws {
            let database = try TestDatabase()
            let node = try Node(database).started()
            try node.start("one").get()
            let task = try node.workflowTask()
            let eager = ["a", "b"].map { id in
                Samples.schedule(id) { $0.requestEagerExecution = true }
            }
            let commands = eager + [Samples.schedule("c")]
            let first = try node.complete(task, commands).get()
            node.kill()

            let next = try Node(database).started()
            defer { next.stop() }
            let second = try next.complete(task, commands).get()
            #expect(second.eagerActivities.map(\.token) == first.eagerActivities.map(\.token))
            #expect(second.eagerActivities.map(\.delivery.activity.activityID) == ["a", "b"])
            #expect(second.eagerActivities.map(\.delivery.startedAt) == first.eagerActivities.map(\.delivery.startedAt))
            for activity in first.eagerActivities { try next.complete(activity).get() }
            #expect(try next.complete(task, commands).get().eagerActivities.isEmpty)
            #expect(try next.activityTask().delivery.activity.activityID == "c")
            try next.work(Samples.complete())
            // It is no longer the last completion.
            #expect(try next.complete(task, commands).error().code == .notFound)
            #expect(HistoryRules.violations(in: try next.events("one")) == [])
        }

        @Test func heartbeatsThatWereFlushedAreThere() throws {
            let database = try TestDatabase()
            let node = try Node(database).started()
            try node.start("one").get()
            try node.work(Samples.schedule("a") { $0.startToCloseTimeout = Interval.seconds(600).duration })
            let task = try node.activityTask()
            let token = try node.activityToken(task)
            let beat = Call<HeartbeatAnswer> {
                node.history.heartbeat(token, details: Samples.payloads("half"), reply: $0)
            }
            #expect(try beat.get() == HeartbeatAnswer())
            try node.signal("one", "behind it").get()
            node.kill()

            let next = try Node(database).started()
            defer { next.stop() }
            let pending = try next.describe("one").get().pendingActivities
            #expect(pending.map { text($0.heartbeatDetails) } == ["half"])
            try next.fail(task).get()
            next.clock.jump(.seconds(2))
            #expect(text(try next.activityTask().delivery.heartbeatDetails) == "half")
        }

        @Test func operatorsActionsOnActivitiesAreKept() throws {
            let database = try TestDatabase()
            let clock = TestClock()
            let node = try Node(database, clock: clock).started()
            try node.start("one").get()
            try node.work(Samples.schedule("a"), Samples.schedule("b"))
            var options = ActivityOptions()
            options.startToCloseTimeout = Interval.seconds(70).duration
            let mask = ["start_to_close_timeout"]
            #expect(
                try node.operate(.changeOptions(options, mask: mask), on: .id("b")).get()?.taskQueue?.name == "travel"
            )
            #expect(try node.operate(.pause(reason: "maintenance"), on: .all).get() == nil)
            node.kill()

            let next = try Node(database, clock: clock).started()
            defer { next.stop() }
            let pending = try next.describe("one").get().pendingActivities
            #expect(pending.map(\.state) == [.paused, .paused])
            #expect(pending.map { $0.activityOptions?.startToCloseTimeout?.seconds } == [5, 70])
            #expect(try next.activityTaskIfDue() == nil)
            let unpause = ActivityOperation.unpause(resetsAttempts: false, resetsHeartbeat: false, jitter: .zero)
            #expect(try next.operate(unpause, on: .id("b")).get() == nil)
            #expect(try next.activityTask().delivery.activity.activityID == "b")
            #expect(try next.activityTaskIfDue() == nil)
            #expect(try next.operate(unpause, on: .id("none")).error().code == .notFound)
        }

        @Test func heartbeatsWithoutDetailsAreNotForgotten() throws {
            let database = try TestDatabase()
            let clock = TestClock()
            let node = try Node(database, clock: clock).started()
            try node.start("one").get()
            let activity = Samples.schedule("a") { attributes in
                attributes.startToCloseTimeout = Interval.seconds(600).duration
                attributes.heartbeatTimeout = Interval.seconds(30).duration
            }
            // The timer fires after the heartbeat timeout would, counted from the start of the attempt.
            try node.work(activity, Samples.startTimer("later", .seconds(38)))
            let task = try node.activityTask()
            clock.jump(.seconds(27))
            let token = try node.activityToken(task)
            #expect(
                try Call<HeartbeatAnswer> { node.history.heartbeat(token, details: nil, reply: $0) }.get()
                    == HeartbeatAnswer()
            )
            node.kill()

            let next = try Node(database, clock: clock).started()
            defer { next.stop() }
            clock.jump(.seconds(12))
            try eventually("the timer fired") { try next.outline("one").contains { $0.hasSuffix("TimerFired") } }
            try next.complete(task).get()
            try next.work(Samples.complete())
            #expect(try next.outline("one").allSatisfy { !$0.hasSuffix("ActivityTaskTimedOut") })
        }

        /// A run is reloaded after PostgreSQL refused a transition, while the activity's worker continues.
        @Test func heartbeatsWithoutDetailsOutliveARefusedCommit() throws {
            let node = try Node(TestDatabase()).started()
            defer { node.stop() }
            try node.start("one").get()
            let activity = Samples.schedule("a") { attributes in
                attributes.startToCloseTimeout = Interval.seconds(600).duration
                attributes.heartbeatTimeout = Interval.seconds(30).duration
            }
            try node.work(activity, Samples.startTimer("later", .seconds(38)))
            let task = try node.activityTask()
            node.clock.jump(.seconds(27))
            let token = try node.activityToken(task)
            #expect(
                try Call<HeartbeatAnswer> { node.history.heartbeat(token, details: nil, reply: $0) }.get()
                    == HeartbeatAnswer()
            )
            node.faults.corrupt { batch in
                for index in batch.journal.indices { batch.journal[index].sequence = 1 }
            }
            #expect(try node.signal("one", "refused").error().code == .internalError)
            node.faults.corrupt(nil)
            try eventually("loaded again") { node.isCached("one") }
            node.clock.jump(.seconds(12))
            try eventually("the timer fired") { try node.outline("one").contains { $0.hasSuffix("TimerFired") } }
            try node.complete(task).get()
            try node.work(Samples.complete())
            #expect(try node.outline("one").allSatisfy { !$0.hasSuffix("ActivityTaskTimedOut") })
        }

        /// A run from a damaged journal would be wrong, and a crash at each start would stop all other runs.
        @Test func aDamagedJournalFailsItsRunAlone() throws {
            let database = try TestDatabase()
            let node = try Node(database).started()
            let ids = ["damaged", "well"]
            for id in ids { try node.start(id).get() }
            for _ in ids { try node.work(Samples.schedule("a")) }
            for _ in ids { _ = try node.activityTask() }
            for id in ids { try node.signal(id, "behind it").get() }
            node.kill()
            func delete(_ id: String, where condition: String) throws {
                try database.session.execute(
                    """
                    delete from sagamore.journal j using sagamore.runs r
                        where j.run_id = r.run_id and r.workflow_id = '\(id)' and \(condition)
                    """
                )
            }
            // The row that schedules the activity. The next row has a fact about the activity.
            try delete("damaged", where: "j.sequence = 2")

            let next = try Node(database).started()
            defer { next.stop() }
            let error = try next.describe("damaged").error()
            #expect(error.code == .internalError && error.message.contains("a fact"), "\(error)")
            #expect(try next.signal("damaged", "late").error().code == .internalError)
            try next.signal("well", "after").get()
            #expect(try next.signals("well") == ["behind it", "after"])
        }

        /// There was no outage, so a run that was out of memory gets no time beyond its timeouts.
        @Test func aParkedRunGetsNoGrace() throws {
            let clock = TestClock()
            let node = try Node(TestDatabase(), clock: clock) { $0.recoveryGrace = .seconds(3_600) }.started()
            defer { node.stop() }
            try node.start("one").get()
            try node.work(
                Samples.schedule("a") { attributes in
                    attributes.startToCloseTimeout = Interval.seconds(600).duration
                    attributes.retryPolicy = RetryPolicy()
                    attributes.retryPolicy?.maximumAttempts = 1
                }
            )
            _ = try node.activityTask()
            clock.jump(.seconds(20))
            try eventually("parked") { !node.isCached("one") }
            clock.jump(.seconds(581))
            try eventually("timed out") {
                try node.outline("one").contains { $0.hasSuffix("ActivityTaskTimedOut") }
            }
        }
    }
}
