import Foundation
import SagamoreAPI
import SagamoreEngine
import SagamoreEngineTestSupport
import SagamorePersistence
import SagamoreServices
import Testing

@testable import SagamoreHistoryService

extension HistoryTests {
    /// Resets: what is read, what is written together, and what happens meanwhile.
    @Suite struct Resets {
        private static let events = "select convert_from(value, 'UTF8') from sagamore.outbox order by sequence"

        private func resetRunID(_ node: Node, _ workflowID: String, _ runID: RunID) throws -> String? {
            try node.describe(workflowID, runID).get().workflowExtendedInfo?.resetRunID
        }

        @Test func anOpenRunIsReplacedAndTheNewOneIsStored() throws {
            let database = try TestDatabase()
            let node = try Node(database).started()
            let first = try node.start("one", requestID: "start").get().runID
            try node.work(Samples.startTimer("t", .seconds(60)))
            try node.signal("one", "go", requestID: "r1").get()
            let second = try node.reset("one", at: 4).get()
            #expect(second > first)
            #expect(try node.outline("one", first).last == "8 WorkflowExecutionTerminated")
            let expected = [
                "1 WorkflowExecutionStarted", "2 WorkflowTaskScheduled", "3 WorkflowTaskStarted",
                "4 WorkflowTaskFailed", "5 WorkflowExecutionSignaled", "6 WorkflowTaskScheduled",
            ]
            #expect(try node.outline("one") == expected)
            #expect(try resetRunID(node, "one", first) == second.description)
            #expect(try database.number("select count(*) from sagamore.alarms where open_workflow_id = 'one'") == 1)
            node.kill()

            let next = try Node(database).started()
            defer { next.stop() }
            #expect(try next.outline("one") == expected)
            #expect(try resetRunID(next, "one", first) == second.description)
            let description = try next.describe("one").get()
            #expect(description.workflowExecutionInfo?.execution?.runID == second.description)
            #expect(description.workflowExtendedInfo?.resetRunID == "")
            #expect(description.workflowExtendedInfo?.lastResetTime != nil)
            // The request that started the first run is known, and starts no other one.
            #expect(try next.start("one", requestID: "start").get().runID == first)
            #expect(try !next.signal("one", "go", requestID: "r1").get().description.isEmpty)
            let task = try next.work(Samples.complete())
            #expect(try decoded(task.history).count == 7)
            #expect(try next.status("one") == .completed)
            try database.checkNumbers()
        }

        @Test func aClosedRunKeepsItsStatus() throws {
            let database = try TestDatabase()
            let node = try Node(database).started()
            defer { node.stop() }
            let first = try node.start("one").get().runID
            try node.work()
            try node.signal("one", "go").get()
            try node.work(Samples.complete())
            for isCached in [true, false] {
                if !isCached {
                    try node.terminate("one").get()
                    try eventually("out of memory") { node.shard.perform { node.shard.state.runs.contexts.isEmpty } }
                }
                let run = try node.reset("one", first, at: 8, requestID: "\(isCached)").get()
                #expect(try node.status("one", first) == .completed)
                #expect(try resetRunID(node, "one", first) == run.description)
                #expect(try node.outline("one").suffix(2) == ["8 WorkflowTaskFailed", "9 WorkflowTaskScheduled"])
            }
        }

        /// Rows are copied in the database: neither the loader nor the lane holds a long history.
        @Test func aLongHistoryIsCopiedRowByRow() throws {
            let database = try TestDatabase()
            let node = try Node(database).started()
            let first = try node.start("one").get().runID
            let large = Samples.payloads(String(repeating: "x", count: 700_000))
            for number in 0..<20 {
                let request = try SignalRequest(
                    name: "large",
                    input: large,
                    header: nil,
                    identity: "client",
                    requestID: "\(number)",
                    limits: Limits()
                )
                try Call<RunID> { node.history.signal(node.reference("one"), request, reply: $0) }.get()
            }
            try node.work()
            let before = try node.events("one")
            #expect(before.suffix(2).map(\.eventType) == [.workflowTaskStarted, .workflowTaskCompleted])
            let second = try node.reset("one", at: Int64(before.count)).get()
            let written = node.faults.committed.flatMap(\.journal).filter { $0.runID == second }
            #expect(written.reduce(0) { $0 + $1.events.count } < 10_000)
            let facts = try database.texts(
                "select concat_ws(' ', run_id, sum(length(facts)) > 0) from sagamore.journal where sequence < 20 "
                    + "group by run_id order by run_id"
            )
            #expect(facts == ["\(first) t", "\(second) f"])
            node.kill()

            let next = try Node(database).started()
            defer { next.stop() }
            let after = try next.events("one")
            #expect(Array(after.prefix(before.count - 1)) == Array(before.dropLast()))
            #expect(after.suffix(2).map(\.eventType) == [.workflowTaskFailed, .workflowTaskScheduled])
            try next.work(Samples.complete())
            try next.delete("one", first).get()
            #expect(try next.events("one").count == before.count + 4)
        }

        /// Signals are not held up, and none is lost.
        @Test func whatHappensWhileItReadsIsAppliedAgain() throws {
            let node = try Node(TestDatabase()).started()
            defer { node.stop() }
            let first = try node.start("one").get().runID
            try node.work()
            try node.signal("one", "before").get()
            defer { node.faults.letLoaderGo() }
            node.faults.holdLoader(at: .history)
            let reset = try node.reset("one", at: 4)
            try eventually("reading") { node.faults.isLoaderHolding }
            for number in 0..<5 { try node.signal("one", "meanwhile \(number)").get() }
            node.faults.letLoaderGo()
            let second = try reset.get()
            #expect(try node.signals("one") == ["before"] + (0..<5).map { "meanwhile \($0)" })
            let task = try node.workflowTask()
            #expect(task.runID == second)
            #expect(second > first)
        }

        @Test func aRunThatIsReplacedMeanwhileIsReadAnew() throws {
            let node = try Node(TestDatabase()).started()
            defer { node.stop() }
            let first = try node.start("one").get().runID
            try node.work()
            defer { node.faults.letLoaderGo() }
            node.faults.holdLoader(at: .history)
            let reset = try node.reset("one", at: 4)
            try eventually("reading") { node.faults.isLoaderHolding }
            let other = try node.start("one") { $0.workflowIDConflictPolicy = .terminateExisting }.get().runID
            node.faults.letLoaderGo()
            let second = try reset.get()
            #expect(second > other)
            #expect(try node.status("one", first) == .terminated && node.status("one", other) == .terminated)
            #expect(try node.outline("one").count == 5)
        }

        @Test func aRepeatedRequestGetsTheSameRun() throws {
            let database = try TestDatabase()
            let node = try Node(database).started()
            try node.start("one").get()
            try node.work()
            let run = try node.reset("one", at: 4).get()
            #expect(try node.reset("one", at: 4).get() == run)
            try node.work(Samples.complete())
            #expect(try node.reset("one", at: 4).get() == run)
            node.kill()
            let next = try Node(database).started()
            defer { next.stop() }
            #expect(try next.reset("one", at: 4).get() == run)
            #expect(try next.reset("one", at: 4, requestID: "other").get() > run)
        }

        // MARK: Commands

        @Test func aCommandHasOneTerminalEvent() throws {
            let database = try TestDatabase()
            let node = try Node(database).started()
            defer { node.stop() }
            _ = try node.submit(node.startCommand("one", "start-1", offset: 1)).get()
            try node.work()
            try node.reset("one", at: 4).get()
            #expect(try database.texts(Self.events) == ["accepted start-1 1"])
            try node.work(Samples.complete())
            #expect(try database.texts(Self.events) == ["accepted start-1 1", "passed start-1 2"])
            // The outcome is published, so a further run publishes none.
            try node.reset("one", at: 4, requestID: "second").get()
            try node.work(Samples.complete())
            #expect(try database.texts(Self.events).count == 2)
        }

        /// The run that is replaced was started by a command of its own.
        @Test func theCommandOfAnotherChainIsToldOfItsEnd() throws {
            let database = try TestDatabase()
            let node = try Node(database).started()
            defer { node.stop() }
            _ = try node.submit(node.startCommand("one", "start-1", offset: 1)).get()
            let first = try #require(try node.describe("one").get().workflowExecutionInfo?.execution?.runID)
            try node.work(Samples.complete())
            _ = try node.submit(node.startCommand("one", "start-2", offset: 2)).get()
            try node.reset("one", RunID(first), at: 4).get()
            #expect(
                try database.texts(Self.events) == [
                    "accepted start-1 1", "passed start-1 2", "accepted start-2 1", "terminated start-2 2",
                ]
            )
            try node.work(Samples.complete())
            #expect(try database.texts(Self.events).count == 4)
        }

        // MARK: Failures

        @Test func bothRunsAreWrittenOrNeither() throws {
            let database = try TestDatabase()
            let node = try Node(database).started()
            let first = try node.start("one").get().runID
            try node.work()
            node.faults.hold()
            let reset = try node.reset("one", at: 4)
            try eventually("commit at the gate") { node.faults.isHolding }
            #expect(!reset.isAnswered)
            node.kill()
            let next = try Node(database).started()
            #expect(try next.status("one", first) == .running)
            #expect(try database.number("select count(*) from sagamore.runs") == 1)
            // The outcome of the commit is unknown: it is looked up.
            next.faults.cut(.unknownAndThere)
            let second = try next.reset("one", at: 4).get()
            #expect(try next.outline("one").last == "5 WorkflowTaskScheduled")
            next.faults.cut(.unknownAndAbsent)
            let third = try next.reset("one", at: 4, requestID: "third").get()
            #expect(third > second)
            try next.work(Samples.complete())
            next.stop()
            try database.checkNumbers()
        }

        /// A copy of a journal that is being erased would have a gap.
        @Test func aBaseThatIsErasedMeanwhileIsNotFound() throws {
            let database = try TestDatabase()
            let node = try Node(database).started()
            defer { node.stop() }
            let first = try node.start("one").get().runID
            try node.work()
            for number in 0..<3 { try node.signal("one", "\(number)").get() }
            try node.work(Samples.complete())
            let last = try node.events("one").count
            let current = try node.start("one").get().runID
            node.faults.hold()
            let reset = try node.reset("one", first, at: Int64(last - 2))
            try eventually("commit at the gate") { node.faults.isHolding }
            try database.session.execute("delete from sagamore.journal where run_id = '\(first)' and sequence <= 2")
            node.faults.letGo()
            #expect(try reset.error().code == .notFound)
            // The current run goes on.
            try eventually("reloaded") { (try? node.status("one")) == .running }
            try node.work(Samples.complete())
            #expect(try node.status("one", current) == .completed)
        }

        @Test func refusals() throws {
            let node = try Node(TestDatabase()).started()
            defer { node.stop() }
            #expect(try node.reset("one", at: 4).error().message == "workflow not found for ID: one")
            let run = try node.start("one").get().runID
            try node.work()
            let range = "Workflow task finish ID must be > 1 && <= workflow last event ID."
            for id in [-1, 0, 1, 5, 99] as [Int64] {
                #expect(try node.reset("one", at: id).error().message == range)
            }
            #expect(try node.reset("one", at: 2).error().message.hasPrefix("StateRebuilder unable to Rebuild"))
            #expect(try node.reset("one", RunID(high: 1, low: 1), at: 4).error().code == .notFound)
            try node.delete("one").get()
            #expect(try node.reset("one", at: 4).error().code == .notFound)
            #expect(try node.reset("one", run, at: 4).error().code == .notFound)
        }

        @Test func optionsOfARun() throws {
            let database = try TestDatabase()
            let node = try Node(database).started()
            try node.start("one").get()
            let request = try Samples.options("priority") { $0.priorityKey = 3 }
            func change(_ workflowID: String) -> Call<WorkflowExecutionOptions> {
                Call { node.history.updateOptions(node.reference(workflowID), request, reply: $0) }
            }
            #expect(try change("one").get().priority?.priorityKey == 3)
            #expect(try change("one").get().priority?.priorityKey == 3)
            #expect(try node.outline("one").count == 3)
            #expect(try change("two").error().code == .notFound)
            node.kill()
            let next = try Node(database).started()
            defer { next.stop() }
            #expect(try next.describe("one").get().workflowExecutionInfo?.priority?.priorityKey == 3)
            try next.work(Samples.complete())
            let late = Call { next.history.updateOptions(next.reference("one"), request, reply: $0) }
            #expect(try late.error().message == "workflow execution already completed")
        }
    }
}
