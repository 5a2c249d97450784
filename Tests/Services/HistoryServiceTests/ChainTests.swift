import Foundation
import SagamoreAPI
import SagamoreEngine
import SagamoreEngineTestSupport
import SagamoreProtobuf
import SagamoreServices
import Testing

@testable import SagamoreHistoryService

extension HistoryTests {
    /// Runs that follow one another, in PostgreSQL.
    @Suite struct Chains {
        private func configured(_ configuration: inout HistoryConfiguration) {
            configuration.limits.shortestRun = .zero
        }

        private func runs(_ database: TestDatabase, _ workflowID: String) throws -> [String] {
            try database.texts(
                "select status || ' ' || history_length from sagamore.runs where workflow_id = '\(workflowID)' "
                    + "order by run_id"
            )
        }

        private func records(_ database: TestDatabase) throws -> [String] {
            try database.texts("select convert_from(value, 'UTF8') from sagamore.outbox order by shard, sequence")
        }

        private func newRunID(_ event: HistoryEvent?) -> RunID? {
            guard case .workflowExecutionContinuedAsNewEventAttributes(let attributes)? = event?.attributes else {
                return nil
            }
            return RunID(attributes.newExecutionRunID)
        }

        @Test func eachRunOfAChainCanBeRead() throws {
            let database = try TestDatabase()
            let node = try Node(database, configure: configured).started()
            let first = try node.start("one", requestID: "start").get()
            for _ in 0..<3 { try node.work(Samples.continueAsNew()) }
            try node.work(Samples.complete())
            func check(_ node: Node) throws {
                var runID: RunID? = first.runID
                var lengths: [Int] = []
                while let next = runID {
                    let events = try node.events("one", next)
                    lengths.append(events.count)
                    let information = try #require(try node.describe("one", next).get().workflowExecutionInfo)
                    #expect(information.firstRunID == first.runID.description)
                    runID = newRunID(events.last)
                    #expect(information.status == (runID == nil ? .completed : .continuedAsNew))
                }
                #expect(lengths == [5, 5, 5, 5])
                #expect(try node.status("one") == .completed)
            }
            try check(node)
            node.kill()
            let next = try Node(database, configure: configured).started()
            defer { next.stop() }
            try check(next)
            try database.checkNumbers()
            #expect(try database.number("select count(*) from sagamore.alarms") == 0)
        }

        @Test func chainIsStartedOnceByOneRequest() throws {
            let database = try TestDatabase()
            let node = try Node(database, configure: configured).started()
            let first = try node.start("one", requestID: "start").get()
            try node.work(Samples.continueAsNew())
            let again = try node.start("one", requestID: "start").get()
            #expect(again.runID == first.runID && again.isNew)
            #expect(try node.start("one", requestID: "other").error().code == .alreadyExists)
            try node.work(Samples.complete())
            node.kill()
            let next = try Node(database, configure: configured).started()
            defer { next.stop() }
            #expect(try next.start("one", requestID: "start").get().runID == first.runID)
            #expect(try runs(database, "one").count == 2)
        }

        @Test func commandHasOneAcceptanceAndOneOutcomeAcrossRestarts() throws {
            let database = try TestDatabase()
            var node = try Node(database, configure: configured).started()
            #expect(try node.submit(try node.startCommand("one", "command", offset: 1)).get() == .carriedOut)
            for _ in 0..<4 {
                try node.work(Samples.continueAsNew())
                node.kill()
                node = try Node(database, configure: configured).started()
            }
            defer { node.stop() }
            #expect(try records(database) == ["accepted command 1"])
            try node.work(Samples.complete("done"))
            #expect(try records(database) == ["accepted command 1", "passed command 2"])
            #expect(try node.submit(try node.startCommand("one", "command", offset: 1)).get() == .duplicate)
            try database.checkNumbers()
        }

        @Test func retriedCommandPublishesItsLastFailureAlone() throws {
            let database = try TestDatabase()
            let node = try Node(database, configure: configured).started()
            defer { node.stop() }
            let origin = Samples.origin("command")
            let request = try node.startRequest("one", origin: origin) { request in
                request.retryPolicy = .with {
                    $0.maximumAttempts = 3
                    $0.initialInterval = Interval.seconds(5).duration
                }
            }
            try node.submit(node.command("one", "command", offset: 1, .start(request))).get()
            for _ in 0..<2 {
                try node.work(Samples.fail(Samples.failure("no")))
                #expect(try records(database) == ["accepted command 1"])
                node.clock.jump(.seconds(20))
            }
            try node.work(Samples.fail(Samples.failure("no")))
            #expect(try records(database) == ["accepted command 1", "failed command 2"])
            #expect(try runs(database, "one").count == 3)
        }

        /// The end of a run and the start of the next one are one commit.
        @Test func killedBeforeTheCommitTheOldRunGoesOn() throws {
            let database = try TestDatabase()
            let node = try Node(database, configure: configured).started()
            let first = try node.start("one").get()
            let task = try node.workflowTask()
            node.faults.hold()
            let held = try node.start("other")
            try eventually("commit at the gate") { node.faults.isHolding }
            let completion = try node.complete(task, [Samples.continueAsNew()])
            try eventually("continued in memory") {
                node.shard.perform { node.shard.state.runs[Node.key("one")]?.cached?.runID != first.runID }
            }
            #expect(!completion.isAnswered && !held.isAnswered)
            node.kill()

            let next = try Node(database, configure: configured).started()
            defer { next.stop() }
            #expect(try runs(database, "one").count == 1)
            #expect(try next.status("one") == .running)
            #expect(try next.describe("one").get().workflowExecutionInfo?.execution?.runID == first.runID.description)
            try next.work(Samples.continueAsNew())
            try next.work(Samples.complete())
            #expect(try next.outline("one", first.runID).last == "5 WorkflowExecutionContinuedAsNew")
            try database.checkNumbers()
        }

        @Test func killedAfterTheCommitTheNextRunGoesOn() throws {
            let database = try TestDatabase()
            let node = try Node(database, configure: configured).started()
            let first = try node.start("one").get()
            let task = try node.workflowTask()
            try node.complete(task, [Samples.continueAsNew()]).get()
            node.kill()
            let next = try Node(database, configure: configured).started()
            defer { next.stop() }
            // The worker did not get the answer, and repeats the completion.
            let answer = try next.complete(task, [Samples.continueAsNew()]).get()
            #expect(answer.nextTask == nil && answer.eagerActivities.isEmpty)
            #expect(try runs(database, "one").count == 2)
            let second = try next.work(Samples.complete())
            #expect(second.runID != first.runID)
            // Also once the next run has ended.
            try next.complete(task, [Samples.continueAsNew()]).get()
            #expect(try runs(database, "one").count == 2)
        }

        @Test func followerOfTheFirstRunGetsTheEventThatNamesTheNext() throws {
            let node = try Node(TestDatabase(), configure: configured).started()
            defer { node.stop() }
            let first = try node.start("one").get()
            let task = try node.workflowTask()
            let closing = node.page("one", first.runID, waits: true, onlyClose: true)
            let news = node.page(
                "one",
                first.runID,
                token: try node.page("one", waits: true).get().nextPageToken,
                waits: true
            )
            #expect(!closing.isAnswered && !news.isAnswered)
            try node.complete(task, [Samples.continueAsNew()]).get()
            let last = try decoded(try closing.get().frames)
            #expect(last.map(\.eventID) == [5])
            #expect(newRunID(last.first) != nil)
            #expect(try ids(try news.get().frames) == [3, 4, 5])
        }

        @Test func pausedRunOfAChainLeavesMemoryAndComesBack() throws {
            let database = try TestDatabase()
            let node = try Node(database).started()
            defer { node.stop() }
            try node.start("one").get()
            try node.work(Samples.continueAsNew { $0.backoffStartInterval = Interval.seconds(600).duration })
            #expect(try node.workflowTaskIfDue() == nil)
            node.clock.jump(.seconds(20))
            try eventually("parked") { node.cachedCount == 0 }
            try node.signal("one", "early").get()
            #expect(try node.workflowTaskIfDue() == nil)
            node.clock.jump(.seconds(600))
            try node.work(Samples.complete())
            #expect(
                try node.outline("one").prefix(3) == [
                    "1 WorkflowExecutionStarted", "2 WorkflowExecutionSignaled", "3 WorkflowTaskScheduled",
                ]
            )
        }

        @Test func cronRunsOneAfterTheOther() throws {
            let database = try TestDatabase()
            let node = try Node(database).started()
            defer { node.stop() }
            try node.start("one") { $0.cronSchedule = "@every 1m" }.get()
            for number in 1...3 {
                #expect(try node.workflowTaskIfDue() == nil)
                node.clock.jump(.seconds(61))
                try node.work(Samples.complete("\(number)"))
            }
            try node.terminate("one").get()
            let first = try #require(try node.events("one").first)
            guard case .workflowExecutionStartedEventAttributes(let started)? = first.attributes else { return }
            #expect(started.lastCompletionResult == Samples.payloads("3"))
            #expect(try runs(database, "one").count == 4)
            try database.checkNumbers()
        }
    }
}
