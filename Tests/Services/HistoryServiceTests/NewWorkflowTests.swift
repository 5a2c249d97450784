import SagamoreAPI
import SagamoreEngine
import SagamoreEngineTestSupport
import SagamoreServices
import Testing

@testable import SagamoreHistoryService

extension HistoryTests {
    /// Starts assume that their workflow is new, and the commit finds out if it is not.
    @Suite struct NewWorkflow {
        @Test func aStartOfANewWorkflowAsksNobody() throws {
            let node = try Node(TestDatabase()).started()
            defer { node.stop() }
            node.faults.loaderIsDown(true)
            let run = try node.start("one").get()
            #expect(run.isNew)
            #expect(try node.start("one").error().code == .alreadyExists)
            node.faults.loaderIsDown(false)
            #expect(try node.status("one") == .running)
        }

        @Test func idsThatOnlyLookTheSameAreTwoWorkflows() throws {
            let node = try Node(TestDatabase()).started()
            defer { node.stop() }
            let (one, other) = ("caf\u{E9}", "cafe\u{301}")
            let first = try node.start(one).get()
            let second = try node.start(other).get()
            #expect(first.runID != second.runID)
            try node.terminate(one).get()
            #expect(try node.status(one) == .terminated)
            #expect(try node.status(other) == .running)
        }

        /// A database with a closed run of "one", and a node that has not loaded it.
        private func afterARun(
            _ requestID: String = ""
        ) throws -> (database: TestDatabase, node: Node, old: StartedRun) {
            let database = try TestDatabase()
            let first = try Node(database).started()
            let old = try first.start("one", requestID: requestID).get()
            try first.work(Samples.complete("done"))
            first.stop()
            return (database, try Node(database).started(), old)
        }

        @Test func aWorkflowThatHadARunGetsANewerOne() throws {
            let (database, node, old) = try afterARun()
            defer { node.stop() }
            let run = try node.start("one").get()
            #expect(run.isNew && run.runID > old.runID)
            #expect(try node.status("one") == .running)
            #expect(try node.status("one", old.runID) == .completed)
            #expect(try node.work(Samples.complete("again")).runID == run.runID)
            #expect(try database.number("select count(*) from sagamore.runs") == 2)
            #expect(try database.number("select count(*) from sagamore.alarms") == 0)
        }

        @Test func theSameStartGetsTheSameAnswer() throws {
            let (_, node, old) = try afterARun("same")
            defer { node.stop() }
            let again = try node.start("one", requestID: "same").get()
            #expect(again.runID == old.runID && again.status == .completed)
        }

        @Test func aPolicyThatForbidsASecondRunHolds() throws {
            let (database, node, old) = try afterARun()
            defer { node.stop() }
            let error = try node.start("one") { $0.workflowIDReusePolicy = .rejectDuplicate }.error()
            #expect(error.code == .alreadyExists && error.message.contains("\(old.runID)"))
            #expect(try database.number("select count(*) from sagamore.runs") == 1)
        }

        @Test func anOpenRunThatIsNotInMemoryIsFound() throws {
            let database = try TestDatabase()
            let clock = TestClock()
            let node = try Node(database, clock: clock).started()
            defer { node.stop() }
            let run = try node.start("one").get()
            try node.work(Samples.startTimer("timer", .seconds(600)))
            clock.jump(.seconds(20))
            try eventually("parked") { node.cachedCount == 0 }
            node.shard.perform { node.shard.state.newWorkflows = NewWorkflows() }
            let error = try node.start("one").error()
            #expect(error.code == .alreadyExists && error.message.contains("\(run.runID)"))
            #expect(try database.number("select count(*) from sagamore.runs") == 1)
            // The timer still fires.
            clock.jump(.seconds(600))
            try node.work(Samples.complete())
            #expect(try node.status("one") == .completed)
        }

        @Test func whatWasDecidedOnAWrongAssumptionIsRefusedAndTheRestIsNot() throws {
            let (database, node, old) = try afterARun()
            defer { node.stop() }
            // The lane is held, so that all that follows is one batch.
            node.faults.hold()
            let first = try node.start("zero")
            try eventually("commit at the gate") { node.faults.isHolding }
            let others = try (1...5).map { try node.start("other-\($0)") }
            let wrong = try node.start("one")
            let signal = try node.signal("one", "early")
            let more = try (6...9).map { try node.start("other-\($0)") }
            node.faults.letGo()
            for call in [first] + others + more { #expect(try call.get().isNew) }
            let run = try wrong.get()
            #expect(run.runID > old.runID)
            #expect(try signal.error().code == .unavailable)
            #expect(try node.signals("one") == [])
            try node.signal("one", "early").get()
            #expect(try node.signals("one") == ["early"])
            #expect(try database.number("select count(*) from sagamore.runs") == 12)
        }

        @Test func afterAWrongAssumptionStartsAreLookedUpForAWhile() {
            var workflows = NewWorkflows()
            func assumes(_ workflowID: String) -> Bool { workflows.assumes(Node.key(workflowID)) }
            #expect(assumes("one"))
            workflows.began(Node.key("one"))
            #expect(!assumes("one"))
            #expect(assumes("two"))
            workflows.wasWrong()
            for _ in 0..<NewWorkflows.caution { #expect(!assumes("two")) }
            #expect(assumes("two"))
        }
    }
}
