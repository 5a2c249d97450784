import Foundation
import SagamoreAPI
import SagamoreEngine
import SagamoreEngineTestSupport
import SagamoreProtobuf
import SagamoreServices
import Testing

@testable import SagamoreHistoryService

extension HistoryTests {
    /// Tasks of workers that cache runs, and later attempts of tasks.
    @Suite struct Sticky {
        /// Starts a run whose worker polls the sticky queue `mine`.
        private func cachedRun(_ node: Node) throws {
            try node.start("one").get()
            try node.work(Samples.startTimer("timer", .seconds(3_000)), sticky: "mine")
        }

        @Test func theTailComesFromMemoryAndFromTheDatabaseAlike() throws {
            let database = try TestDatabase()
            let node = try Node(database).started()
            try cachedRun(node)
            let poll = node.pollWorkflowTask("mine", sticky: true)
            try node.signal("one", "hello").get()
            guard case .task(let first) = try poll.get() else { return #expect(Bool(false), "no task") }
            // The history begins where the worker's last one ended: Completed, TimerStarted, Signaled, Scheduled,
            // Started.
            #expect(first.delivery.isSticky && first.nextPageToken.isEmpty)
            #expect(try ids(first.history) == [4, 5, 6, 7, 8])
            #expect(try decoded(first.history).last?.eventType == .workflowTaskStarted)
            node.kill()

            let next = try Node(database).started()
            defer { next.stop() }
            // Nobody has polled that queue here, so the task goes to the normal one, with the whole history.
            let whole = try next.workflowTask()
            #expect(!whole.delivery.isSticky)
            #expect(try ids(whole.history) == Array(1...8))
            try next.complete(whole, sticky: "mine").get()
            // The tail grows too large for memory.
            let again = next.pollWorkflowTask("mine", sticky: true)
            let large = String(repeating: "x", count: CachedRun.tailLimit)
            let request = try SignalRequest(
                name: "large",
                input: Samples.payloads(large),
                header: nil,
                identity: "client",
                requestID: "",
                limits: Limits()
            )
            try Call<RunID> { next.history.signal(next.reference("one"), request, reply: $0) }.get()
            #expect(next.shard.perform { next.shard.state.runs[Node.key("one")]?.cached?.tail == nil })
            guard case .task(let last) = try again.get() else { return #expect(Bool(false), "no task") }
            #expect(try ids(last.history) == [9, 10, 11, 12])
            try next.complete(last, sticky: "mine").get()
            // The tail is small again.
            #expect(next.shard.perform { next.shard.state.runs[Node.key("one")]?.cached?.tail != nil })
        }

        @Test func withoutItsWorkerTheTaskGoesToTheNormalQueue() throws {
            let node = try Node(TestDatabase()).started()
            defer { node.stop() }
            try cachedRun(node)
            // Nobody polled the sticky queue, so the task moves at once, without a trace in the history.
            try node.signal("one", "hello").get()
            let task = try node.workflowTask()
            #expect(try ids(task.history) == Array(1...8))
            try node.complete(task, sticky: "mine").get()
            // The worker polled a moment ago, so its timeout has to pass first.
            let poll = node.pollWorkflowTask("mine", sticky: true, deadline: node.clock.now + .milliseconds(50))
            guard case .none = try poll.get() else { return #expect(Bool(false), "a task came") }
            try node.signal("one", "again").get()
            let normal = node.pollWorkflowTask()
            for _ in 0..<300 where !normal.isAnswered { usleep(1_000) }
            #expect(!normal.isAnswered)
            node.clock.jump(.seconds(11))
            guard case .task(let late) = try normal.get() else { return #expect(Bool(false), "no task") }
            #expect(try decoded(late.history).contains { $0.eventType == .workflowTaskTimedOut })
            try node.complete(late, [Samples.complete()]).get()
            #expect(HistoryRules.violations(in: try node.events("one")) == [])
        }

        @Test func aWorkerThatShutsDownLeavesItsTasksToOthers() throws {
            let node = try Node(TestDatabase()).started()
            defer { node.stop() }
            try cachedRun(node)
            let poll = node.pollWorkflowTask("mine", sticky: true, deadline: node.clock.now + .milliseconds(50))
            guard case .none = try poll.get() else { return #expect(Bool(false), "a task came") }
            try node.signal("one", "hello").get()
            let waiting = node.pollWorkflowTask("another queue")
            node.matching.workerShutDown(DepartingWorker(namespace: 1, stickyQueue: "mine", identity: "worker"))
            guard case .none = try waiting.get() else { return #expect(Bool(false), "a task came") }
            guard case .none = try node.pollWorkflowTask("mine", sticky: true).get() else {
                return #expect(Bool(false), "a task came")
            }
            let task = try node.workflowTask()
            #expect(try ids(task.history) == Array(1...8))
        }

        @Test func aWorkerWhoseConnectionEndsLeavesItsTasksToOthers() throws {
            let node = try Node(TestDatabase()).started()
            defer { node.stop() }
            try cachedRun(node)
            let ended = try Call<PolledWorkflowTask> { reply in
                _ = node.matching.pollWorkflowTask(
                    TaskQueueKey(namespace: 1, name: "mine", kind: .workflow),
                    isSticky: true,
                    poller: PollerIdentity(identity: "worker", requestID: "", buildID: "", connectionID: 7),
                    deadline: node.clock.now + .milliseconds(50),
                    reply: reply
                )
            }.get()
            guard case .none = ended else { return #expect(Bool(false), "a task came") }
            try node.signal("one", "hello").get()
            node.matching.connectionEnded(8)
            let waiting = node.pollWorkflowTask()
            #expect(!waiting.isAnswered)
            node.matching.connectionEnded(7)
            guard case .task(let task) = try waiting.get() else { return #expect(Bool(false), "no task") }
            // The task moved at once: the history has no timeout.
            #expect(try ids(task.history) == Array(1...8))
            try node.complete(task, [Samples.complete()]).get()
            #expect(HistoryRules.violations(in: try node.events("one")) == [])
        }

        @Test func laterAttemptsAreShownBeforeTheyAreWritten() throws {
            let node = try Node(TestDatabase()).started()
            defer { node.stop() }
            try node.start("one").get()
            let first = try node.workflowTask()
            #expect(try ids(first.history) == [1, 2, 3])
            try node.fail(first).get()
            for attempt in 2...3 {
                let task = try node.workflowTask()
                #expect(task.delivery.task.attempt == Int32(attempt))
                // Scheduled and Started of this attempt follow the stored events.
                #expect(try ids(task.history) == [1, 2, 3, 4, 5, 6])
                #expect(
                    try decoded(task.history).suffix(2).map(\.eventType) == [
                        .workflowTaskScheduled, .workflowTaskStarted,
                    ]
                )
                if attempt == 2 {
                    try node.fail(task).get()
                } else {
                    try node.complete(task, [Samples.complete()]).get()
                }
            }
            let outline = try node.outline("one")
            #expect(outline.count == 8 && outline.last == "8 WorkflowExecutionCompleted")
            #expect(HistoryRules.violations(in: try node.events("one")) == [])
        }

        @Test func aTaskThatTimesOutIsGivenAgain() throws {
            let node = try Node(TestDatabase()).started()
            defer { node.stop() }
            try node.start("one").get()
            let lost = try node.workflowTask()
            node.clock.jump(.seconds(11))
            let again = try node.workflowTask()
            #expect(again.delivery.task.attempt == 2)
            #expect(try node.complete(lost, [Samples.complete()]).error().code == .notFound)
            try node.complete(again, [Samples.complete()]).get()
            #expect(HistoryRules.violations(in: try node.events("one")) == [])
        }
    }

    /// All ways in which queries reach a worker.
    @Suite struct Queries {
        private func results(_ task: AssignedWorkflowTask, _ text: String) -> ProtobufMap<WorkflowQueryResult> {
            task.queries.mapValues { _ in
                var result = WorkflowQueryResult()
                result.resultType = .answered
                result.answer = Samples.payloads(text)
                return result
            }
        }

        @Test func oneRidesOnTheTaskThatIsDue() throws {
            let node = try Node(TestDatabase()).started()
            defer { node.stop() }
            try node.start("one").get()
            let query = node.query("one", "status")
            let task = try node.workflowTask()
            #expect(task.queries.values.map(\.queryType) == ["status"])
            #expect(!query.isAnswered)
            try node.complete(task) { $0.queryResults = results(task, "new") }.get()
            #expect(text(try query.get()) == "new")
        }

        @Test func oneThatComesWhileATaskRunsIsAnsweredAfterIt() throws {
            let node = try Node(TestDatabase()).started()
            defer { node.stop() }
            try node.start("one").get()
            let task = try node.workflowTask()
            try node.signal("one", "first").get()
            let query = node.query("one")
            try node.complete(task).get()
            // The worker must see the signal first, so the query is attached to its task.
            let next = try node.workflowTask()
            #expect(try decoded(next.history).contains { $0.eventType == .workflowExecutionSignaled })
            #expect(next.queries.count == 1)
            try node.complete(next) { $0.queryResults = results(next, "after the signal") }.get()
            #expect(text(try query.get()) == "after the signal")
            // No other task follows, so the query gets a task of its own.
            try node.signal("one", "second").get()
            let last = try node.workflowTask()
            let direct = node.query("one")
            try node.complete(last).get()
            try node.answer(try node.queryTask(), "alone").get()
            #expect(text(try direct.get()) == "alone")
        }

        /// The task was started before the signal came, so an answer with it would not show the signal.
        @Test func oneDoesNotRideOnATaskThatIsDeliveredAgainWithoutALaterSignal() throws {
            let node = try Node(TestDatabase()).started()
            defer { node.stop() }
            try node.start("one").get()
            let task = try node.workflowTask()
            func complete() throws -> Call<CompletedWorkflowTask> {
                try node.complete(task) { request in
                    request.forceCreateNewWorkflowTask = true
                    request.returnNewWorkflowTask = true
                }
            }
            // The answer with the next task does not arrive.
            _ = try complete().get()
            try node.signal("one", "first").get()
            let query = node.query("one")
            let again = try #require(try complete().get().nextTask)
            #expect(again.queries.isEmpty)
            try node.complete(again).get()
            let last = try node.workflowTask()
            #expect(try decoded(last.history).contains { $0.eventType == .workflowExecutionSignaled })
            try node.complete(last) { $0.queryResults = results(last, "after the signal") }.get()
            #expect(text(try query.get()) == "after the signal")
        }

        /// A worker's answer counts, whatever another one repeats meanwhile.
        @Test func oneIsAnsweredWithItsTaskThoughTheTaskBeforeIsCompletedAgain() throws {
            let node = try Node(TestDatabase()).started()
            defer { node.stop() }
            try node.start("one").get()
            let task = try node.workflowTask()
            func complete() throws { try node.complete(task) { $0.forceCreateNewWorkflowTask = true }.get() }
            try complete()
            let query = node.query("one")
            let next = try node.workflowTask()
            #expect(next.queries.count == 1)
            try complete()
            try node.complete(next) { $0.queryResults = results(next, "with its task") }.get()
            #expect(query.isAnswered)
            #expect(text(try query.get()) == "with its task")
        }

        @Test func oneGoesByItselfToTheQueueOfTheRunsWorker() throws {
            let node = try Node(TestDatabase()).started()
            defer { node.stop() }
            try node.start("normal").get()
            try node.work()
            let normal = node.query("normal")
            let whole = try node.queryTask()
            #expect(whole.workflowType == "TravelBooking")
            #expect(try ids(whole.history) == [1, 2, 3, 4])
            try node.answer(whole, "whole").get()
            #expect(text(try normal.get()) == "whole")
            #expect(try node.answer(whole, "twice").error().code == .notFound)

            try node.start("sticky").get()
            try node.work(sticky: "mine")
            let poll = node.pollWorkflowTask("mine", sticky: true)
            let sticky = node.query("sticky")
            guard case .query(let short) = try poll.get() else { return #expect(Bool(false), "no query") }
            #expect(short.history.isEmpty)
            try node.answer(short, "short").get()
            #expect(text(try sticky.get()) == "short")
            // The query's worker is gone, so it moves to the normal queue.
            node.matching.workerShutDown(DepartingWorker(namespace: 1, stickyQueue: "mine", identity: "worker"))
            let moved = node.query("sticky")
            let other = try node.queryTask()
            #expect(try ids(other.history) == [1, 2, 3, 4])
            try node.answer(other, "moved").get()
            #expect(text(try moved.get()) == "moved")
        }

        @Test func oneWhoseWorkerIsGoneGoesToTheQueueOfItsOwnRun() throws {
            let node = try Node(TestDatabase()).started()
            defer { node.stop() }
            let run = try node.start("one").get()
            try node.work(sticky: "mine")
            let poll = node.pollWorkflowTask("mine", sticky: true, deadline: node.clock.now + .milliseconds(50))
            guard case .none = try poll.get() else { return #expect(Bool(false), "a task came") }
            let query = node.query("one")
            // The run that replaces it has another queue.
            try node.start("one", queue: "other") { $0.workflowIDConflictPolicy = .terminateExisting }.get()
            node.clock.jump(.seconds(11))
            let task = try node.queryTask()
            #expect(task.runID == run.runID)
            try node.answer(task, "moved").get()
            #expect(text(try query.get()) == "moved")
        }

        @Test func closedRunsAnswerToo() throws {
            let node = try Node(TestDatabase()).started()
            defer { node.stop() }
            try node.start("one").get()
            try node.work(Samples.complete())
            let query = node.query("one")
            let task = try node.queryTask()
            #expect(try ids(task.history) == [1, 2, 3, 4, 5])
            try node.answer(task, "done").get()
            #expect(text(try query.get()) == "done")
            guard case .rejected(.completed) = try node.query("one", rejecting: .notOpen).get() else {
                return #expect(Bool(false), "not rejected")
            }
        }

        @Test func oneThatNoTaskCanAnswerIsRefusedAtOnce() throws {
            let node = try Node(TestDatabase()).started()
            defer { node.stop() }
            try node.start("delayed") { $0.workflowStartDelay = Interval.seconds(60).duration }.get()
            try node.start("failing", queue: "failing").get()
            for _ in 0..<2 { try node.fail(try node.workflowTask("failing")).get() }
            for (workflowID, message) in [
                ("delayed", "Workflow task is not scheduled yet."),
                ("failing", "Unable to query workflow due to Workflow Task in failed state."),
            ] {
                let error = try node.query(workflowID).error()
                #expect(error.code == .failedPrecondition)
                #expect(error.message == message)
                if case .workflowNotReady? = error.detail {} else { Issue.record("no detail") }
            }
            #expect(node.shard.perform { node.shard.state.queries.isEmpty })
        }

        @Test func theyEndInTime() throws {
            let node = try Node(TestDatabase()).started()
            defer { node.stop() }
            try node.start("one").get()
            let waiting = node.query("one", deadline: node.clock.now + .seconds(5))
            node.clock.jump(.seconds(6))
            #expect(try waiting.error().code == .deadlineExceeded)
            let task = try node.workflowTask()
            #expect(task.queries.isEmpty)
            // A query that was attached to a lost task is attached to the next one.
            let attached = node.query("one")
            try node.complete(task).get()
            try node.answer(try node.queryTask(), "direct").get()
            #expect(text(try attached.get()) == "direct")
            #expect(try node.query("unknown").error().code == .notFound)
        }

        @Test func oneThatRodeOnALostTaskRidesOnTheNext() throws {
            let node = try Node(TestDatabase()).started()
            defer { node.stop() }
            try node.start("one").get()
            let query = node.query("one")
            let lost = try node.workflowTask()
            #expect(lost.queries.count == 1)
            node.clock.jump(.seconds(11))
            let next = try node.workflowTask()
            #expect(next.queries.count == 1)
            try node.complete(next) { $0.queryResults = results(next, "second try") }.get()
            #expect(text(try query.get()) == "second try")
        }
    }
}
