import SagamoreAPI
import SagamoreEngine
import SagamoreEngineTestSupport
import SagamorePersistence
import SagamoreServices
import Testing

@testable import SagamoreHistoryService

extension HistoryTests {
    /// Closed runs with debts.
    @Suite struct Debts {
        private static let alarms = "select count(*) from sagamore.alarms"
        private static let openAlarms = "select count(*) from sagamore.alarms where open_workflow_id is not null"

        /// A closed run that owes its parent a report, beside which a new run of its workflow may begin. The report is
        /// held.
        private func debtor(_ node: Node, _ database: TestDatabase) throws -> RunID {
            node.post.hold(.report)
            // A start of the same child would be recognized.
            let lineage = Samples.childLineage(of: Int64(node.debtors("one").count) + 5)
            let run = try node.start("one", lineage: lineage).get().runID
            try node.work(Samples.complete())
            try eventually("beside") { node.debtors("one").contains(run) }
            return run
        }

        @Test func theNextRunBeginsBesideIt() throws {
            let database = try TestDatabase()
            let clock = TestClock()
            let node = try Node(database, clock: clock).started()
            let first = try debtor(node, database)
            #expect(try database.number(Self.alarms) == 1)
            #expect(try database.number(Self.openAlarms) == 0)
            let second = try node.start("one").get().runID
            #expect(try database.number(Self.openAlarms) == 1)
            try checkClosed(node, first)
            node.kill()

            let next = try Node(database, clock: clock).startedWithHeldReports()
            defer { next.stop() }
            #expect(next.debtors("one") == [first])
            #expect(next.isCached("one"))
            try checkClosed(next, first)
            // Both runs are idle, but only the open one can be parked.
            try next.work()
            clock.jump(.seconds(20))
            try eventually("parked") { !next.isCached("one") }
            #expect(next.debtors("one") == [first])

            #expect(next.settle("one", first))
            try eventually("settled") { next.shard.perform { next.shard.state.runs.contexts.isEmpty } }
            #expect(try database.texts("select run_id::text from sagamore.alarms") == [second.description])
            try checkClosed(next, first)
            try next.signal("one", "go").get()
            try next.work(Samples.complete())
            #expect(try database.number(Self.alarms) == 0)
            try database.checkNumbers()
        }

        /// Requests that name the run are answered as for any closed run.
        private func checkClosed(_ node: Node, _ run: RunID) throws {
            #expect(try node.status("one", run) == .completed)
            #expect(try node.outline("one", run).last == "5 WorkflowExecutionCompleted")
            let end = try node.page("one", run, waits: true, onlyClose: true).get()
            #expect(try decoded(end.frames).map(\.eventType) == [.workflowExecutionCompleted])
            let late = try Samples.signal("late")
            let signal = Call { node.history.signal(node.reference("one", run), late, reply: $0) }
            #expect(try signal.error().code == .notFound)
        }

        @Test func severalOfOneWorkflow() throws {
            let database = try TestDatabase()
            let node = try Node(database).started()
            let first = try debtor(node, database)
            let second = try debtor(node, database)
            #expect(node.debtors("one") == [first, second])
            node.kill()

            let next = try Node(database).startedWithHeldReports()
            defer { next.stop() }
            #expect(next.debtors("one") == [first, second])
            #expect(!next.isCached("one"))
            let third = try next.start("one").get().runID
            #expect(third > second)
            #expect(next.settle("one", second))
            try eventually("settled") { next.debtors("one") == [first] }
            #expect(try database.number(Self.alarms) == 2)
            #expect(next.settle("one", first))
            try eventually("settled") { next.debtors("one") == [] }
            #expect(try database.texts("select run_id::text from sagamore.alarms") == [third.description])
        }

        /// One transaction has it all: the run starts, closes with a debt, and is followed by another run.
        @Test func aRunBeginsAndClosesInOneBatch() throws {
            let database = try TestDatabase()
            let node = try Node(database).started()
            defer { node.stop() }
            node.faults.hold()
            let other = try node.start("other")
            try eventually("commit at the gate") { node.faults.isHolding }
            node.post.hold(.report)
            let first = try node.start("one", lineage: Samples.childLineage)
            let run = try #require(node.shard.perform { node.shard.state.runs[Node.key("one")]?.cached?.runID })
            let second = try node.start("one") { $0.workflowIDConflictPolicy = .terminateExisting }
            node.faults.letGo()
            try other.get()
            #expect(try first.get().runID == run)
            #expect(try second.get().runID > run)
            let batch = try #require(node.faults.committed.last { !$0.newRuns.isEmpty })
            #expect(batch.newRuns.count == 2)
            #expect(node.debtors("one") == [run])
            #expect(try database.number(Self.alarms) == 3)
            #expect(try database.number(Self.openAlarms) == 2)
            #expect(try node.status("one", run) == .terminated)
        }

        @Test func anAlarmBringsItBack() throws {
            let database = try TestDatabase()
            let clock = TestClock()
            let node = try Node(database, clock: clock).started()
            let run = try debtor(node, database)
            node.kill()
            let alarm = (clock.now + .seconds(600)).nanoseconds
            try database.session.execute("update sagamore.alarms set alarm_at = \(alarm)")

            let next = try Node(database, clock: clock).startedWithHeldReports()
            defer { next.stop() }
            #expect(next.debtors("one") == [])
            clock.jump(.seconds(595))
            try eventually("back") { next.debtors("one") == [run] }
            #expect(next.settle("one", run))
            try eventually("settled") { next.debtors("one") == [] }
            #expect(try database.number(Self.alarms) == 0)
        }

        @Test func aSettlementThatCannotBeStoredIsStillOwed() throws {
            let database = try TestDatabase()
            let node = try Node(database).started()
            defer { node.stop() }
            let run = try debtor(node, database)
            try node.start("one").get()
            node.faults.corrupt { batch in
                for index in batch.journal.indices where batch.journal[index].runID == run {
                    batch.journal[index].sequence = 1
                }
            }
            #expect(node.settle("one", run))
            try eventually("refused") { node.debtors("one") == [] }
            node.faults.corrupt(nil)
            try eventually("loaded again") { node.debtors("one") == [run] }
            #expect(node.isCached("one"))
            #expect(try database.number(Self.alarms) == 2)
            #expect(node.settle("one", run))
            try eventually("settled") { node.debtors("one") == [] }
            #expect(try database.number(Self.alarms) == 1)
        }

        @Test func anEndThatCannotBeStoredLeavesAnOpenRun() throws {
            let database = try TestDatabase()
            let node = try Node(database).started()
            defer { node.stop() }
            node.post.hold(.report)
            let run = try node.start("one", lineage: Samples.childLineage).get().runID
            node.faults.corrupt { batch in
                for index in batch.journal.indices where batch.closedRuns.contains(where: { $0.runID == run }) {
                    batch.journal[index].sequence = 1
                }
            }
            let next = try node.start("one") { $0.workflowIDConflictPolicy = .terminateExisting }
            _ = try next.error()
            node.faults.corrupt(nil)
            try eventually("loaded again") { node.isCached("one") }
            #expect(try node.status("one") == .running)
            #expect(node.debtors("one") == [])
            try node.terminate("one").get()
            try eventually("beside") { node.debtors("one") == [run] }
            #expect(node.settle("one", run))
            try eventually("settled") { node.debtors("one") == [] }
            #expect(try database.number(Self.alarms) == 0)
        }

        @Test func retentionWaitsForIt() throws {
            let database = try TestDatabase()
            try database.session.execute(
                """
                insert into sagamore.namespaces (id, name, description, owner_email, retention, data_keys, data_values)
                    values (gen_random_uuid(), 'hour', '', '', 3600000000000, '{}', '{}')
                """
            )
            let node = try Node(database) { $0.retentionPeriod = .milliseconds(20) }.started()
            defer { node.stop() }
            let run = try debtor(node, database)
            try node.start("two").get()
            try node.terminate("two").get()
            node.clock.jump(.seconds(3_610))
            let runs = "select run_id::text from sagamore.runs"
            try eventually("the other one is deleted") { try database.texts(runs).count < 2 }
            #expect(try database.texts(runs) == [run.description])
            #expect(node.settle("one", run))
            try eventually("deleted") { try database.texts(runs).isEmpty }
        }
    }
}

extension Node {
    /// The closed runs with debts that are in memory beside the current run, in the order of their start.
    func debtors(_ workflowID: String) -> [RunID] {
        shard.perform { (shard.state.runs[Node.key(workflowID)]?.state.debtors ?? []).map(\.runID).sorted() }
    }

    /// Starts the node. It holds reports to parents.
    func startedWithHeldReports() throws -> Node {
        post.hold(.report)
        return try started()
    }

    /// Settles the report of a closed run in memory. Returns false if there is none.
    func settle(_ workflowID: String, _ runID: RunID) -> Bool {
        let end = shard.perform { shard.debtor(runID, Node.key(workflowID))?.0.execution.durable.unreportedEnd }
        return end.map { write(.debtSettled(eventID: $0.eventID), workflowID, runID) } ?? false
    }

    /// Writes a fact of a run in memory. Returns false if the run is not in memory.
    func write(_ fact: Fact, _ workflowID: String, _ runID: RunID) -> Bool {
        shard.perform {
            guard let context = shard.state.runs[Node.key(workflowID)],
                let run = ([context.cached].compactMap { $0 } + context.state.debtors).first(where: {
                    $0.runID == runID
                })
            else { return false }
            shard.carryOut(Samples.decision(fact, on: run.execution), on: run, in: context)
            return true
        }
    }
}
