import Foundation
import SagamoreAPI
import SagamoreEngine
import SagamoreEngineTestSupport
import SagamorePersistence
import SagamoreServices
import Testing

@testable import SagamoreHistoryService

extension HistoryTests {
    /// Deletions of runs.
    @Suite struct Deletions {
        /// What is stored of runs, without their rows.
        private static let rest = """
            select (select count(*) from sagamore.journal) + (select count(*) from sagamore.snapshots)
                + (select count(*) from sagamore.heartbeats) + (select count(*) from sagamore.alarms)
                + (select count(*) from sagamore.backlog) + (select count(*) from sagamore.deletions)
            """

        private func checkGone(_ node: Node, _ workflowID: String, _ runID: RunID) throws {
            for run in [nil, runID] {
                let reference = node.reference(workflowID, run)
                let signal = try Samples.signal("late")
                let terminate = TerminateRequest(reason: "late", identity: "client")
                let cancel = CancelRequest(reason: "late", identity: "client", requestID: "")
                let missing = reference.missing.message
                #expect(try node.describe(workflowID, run).error().message == missing)
                #expect(try node.page(workflowID, run).error().message == missing)
                #expect(try node.page(workflowID, run, reversed: true).error().message == missing)
                #expect(try Call { node.history.signal(reference, signal, reply: $0) }.error().message == missing)
                #expect(try Call { node.history.terminate(reference, terminate, reply: $0) }.error().message == missing)
                #expect(try Call { node.history.cancel(reference, cancel, reply: $0) }.error().message == missing)
                #expect(try node.delete(workflowID, run).error().message == missing)
            }
            #expect(try node.query(workflowID).error().message == node.reference(workflowID).missing.message)
        }

        @Test func aRunningRunIsGoneAtOnce() throws {
            let database = try TestDatabase()
            let node = try Node(database).started()
            let run = try node.start("one").get()
            let token = try node.page("one", size: 1).get().nextPageToken
            let follower = node.page("one", run.runID, waits: true, onlyClose: true)
            let query = node.query("one")
            let task = try node.workflowTask()
            try node.delete("one").get()
            try checkGone(node, "one", run.runID)
            #expect(try decoded(try follower.get().frames).map(\.eventType) == [.workflowExecutionTerminated])
            #expect(try query.error().code == .notFound)
            let late = try node.complete(task).error()
            #expect(late.message == RequestError.runNotFound("one", run.runID).message)
            #expect(try node.page("one", token: token).error().code == .notFound)
            try eventually("erased") { try database.number(Self.rest) == 0 }
            try eventually("out of memory") { node.shard.perform { node.shard.state.runs.contexts.isEmpty } }
            try checkGone(node, "one", run.runID)
            node.kill()

            let next = try Node(database).started()
            defer { next.stop() }
            try checkGone(next, "one", run.runID)
            // The same request id starts another run.
            let again = try next.start("one", requestID: "start").get()
            #expect(again.isNew && again.runID > run.runID)
            try database.checkNumbers()
        }

        @Test func aClosedRunInMemoryOrOutOfIt() throws {
            let database = try TestDatabase()
            let node = try Node(database).started()
            defer { node.stop() }
            for isCached in [true, false] {
                let run = try node.start("one").get()
                try node.work(Samples.complete())
                if !isCached {
                    try eventually("out of memory") { node.shard.perform { node.shard.state.runs.contexts.isEmpty } }
                }
                try node.delete("one", isCached ? nil : run.runID).get()
                try checkGone(node, "one", run.runID)
                try eventually("erased") { try database.number(Self.rest) == 0 }
            }
            #expect(try node.start("one") { $0.workflowIDReusePolicy = .rejectDuplicate }.get().isNew)
        }

        /// The run before the deleted one does not take its place.
        @Test func theWorkflowHasNoCurrentRunThen() throws {
            let database = try TestDatabase()
            let node = try Node(database).started()
            let first = try node.start("one").get().runID
            try node.work(Samples.complete())
            let second = try node.start("one").get().runID
            try node.work(Samples.complete())
            try node.delete("one").get()
            try checkGone(node, "one", second)
            #expect(try node.status("one", first) == .completed)
            node.kill()

            let next = try Node(database).started()
            defer { next.stop() }
            try checkGone(next, "one", second)
            #expect(try next.status("one", first) == .completed)
            // The clock went back: the next run is newer all the same.
            next.clock.jump(.seconds(-3_600))
            let third = try next.start("one") { $0.workflowIDReusePolicy = .rejectDuplicate }.get().runID
            #expect(third > second)
            #expect(try next.status("one") == .running)
            try next.delete("one", first).get()
            #expect(try next.describe("one", first).error().code == .notFound)
            #expect(try next.status("one") == .running)
        }

        @Test func itIsGoneFromReadsOnlyOnceItIsCommitted() throws {
            let node = try Node(TestDatabase()).started()
            defer { node.stop() }
            let run = try node.start("one").get().runID
            try node.work(Samples.complete())
            try eventually("out of memory") { node.shard.perform { node.shard.state.runs.contexts.isEmpty } }
            #expect(try node.status("one") == .completed)
            node.faults.hold()
            let other = try node.start("two")
            try eventually("commit at the gate") { node.faults.isHolding }
            let deletion = node.delete("one", run)
            let reads = [node.describe("one", run), node.describe("one", run)]
            let again = node.delete("one", run)
            let start = try node.start("one") { $0.workflowIDReusePolicy = .rejectDuplicate }
            usleep(20_000)
            #expect(!deletion.isAnswered && !again.isAnswered && !start.isAnswered)
            #expect(reads.allSatisfy { !$0.isAnswered })
            node.faults.letGo()
            try other.get()
            try deletion.get()
            for read in reads { #expect(try read.error().code == .notFound) }
            #expect(try again.error().code == .notFound)
            #expect(try start.get().isNew)
        }

        /// What a run owes is delivered before it is erased, although nobody sees the run any more.
        @Test func aRunWithDebtsIsErasedOnceTheyAreSettled() throws {
            let database = try TestDatabase()
            let node = try Node(database).started()
            node.post.hold(.report)
            let run = try node.start("one", lineage: Samples.childLineage).get().runID
            try node.delete("one").get()
            try checkGone(node, "one", run)
            try eventually("beside") { node.debtors("one").contains(run) }
            node.kill()

            let next = try Node(database).startedWithHeldReports()
            defer { next.stop() }
            #expect(next.debtors("one") == [run])
            try checkGone(next, "one", run)
            #expect(try database.number("select count(*) from sagamore.journal") > 0)
            #expect(next.settle("one", run))
            try eventually("settled") { next.debtors("one") == [] }
            next.shard.loads.add(.erase)
            try eventually("erased") { try database.number(Self.rest) == 0 }
            try checkGone(next, "one", run)
        }

        /// A long journal is erased in steps, and a server that is killed in between goes on where it was.
        @Test func aLongJournalIsErasedInSteps() throws {
            let database = try TestDatabase()
            let node = try Node(database).started()
            let run = try node.start("one").get().runID
            // As long as after thousands of transitions.
            try database.session.execute(
                "insert into sagamore.journal select run_id, 100 + n, first_event_id, events, facts "
                    + "from sagamore.journal, generate_series(1, 3000) as n where sequence = 1"
            )
            node.faults.failOnce(.erase)
            try node.delete("one").get()
            node.kill()
            let before = try database.number("select count(*) from sagamore.journal")
            #expect(before > 3_000)
            let loader = PostgresLoaderStore(database.session)
            #expect(try loader.eraseDeletedRuns(shard: 0, limit: ErasureLimit(runs: 9, rows: 100, bytes: 1 << 30)))
            #expect(try database.number("select count(*) from sagamore.journal") == before - 100)

            let next = try Node(database) { $0.retentionPeriod = .milliseconds(20) }.started()
            defer { next.stop() }
            try checkGone(next, "one", run)
            try eventually("erased") { try database.number(Self.rest) == 0 }
            #expect(try database.number("select count(*) from sagamore.runs") == 1)
        }

        /// A command's start ends with one terminal event.
        @Test func theCommandIsToldThatItsRunWasTerminated() throws {
            let database = try TestDatabase()
            let node = try Node(database).started()
            defer { node.stop() }
            _ = try node.submit(node.startCommand("one", "start-1", offset: 1)).get()
            try node.delete("one").get()
            let events = try database.texts("select convert_from(value, 'UTF8') from sagamore.outbox order by sequence")
            #expect(events == ["accepted start-1 1", "terminated start-1 2"])
        }

        @Test func itTakesLittleTime() throws {
            let node = try Node(TestDatabase()).started()
            defer { node.stop() }
            try node.start("one").get()
            let began = ContinuousClock.now
            try node.delete("one").get()
            #expect(ContinuousClock.now - began < .seconds(5))
        }

        @Test func theRowThatStaysIsDeletedByRetention() throws {
            let database = try TestDatabase()
            try database.session.execute(
                "insert into sagamore.namespaces (id, name, description, owner_email, retention, data_keys, "
                    + "data_values) values (gen_random_uuid(), 'default', '', '', 100000000000, '{}', '{}')"
            )
            let node = try Node(database) { $0.retentionPeriod = .milliseconds(20) }.started()
            defer { node.stop() }
            try node.start("one").get()
            try node.delete("one").get()
            #expect(try database.number("select count(*) from sagamore.runs") == 1)
            node.clock.jump(.seconds(200))
            try eventually("deleted") { try database.number("select count(*) from sagamore.runs") == 0 }
        }
    }
}
