import Foundation
import SagamoreAPI
import SagamoreEngine
import SagamoreEngineTestSupport
import SagamoreServices
import Testing

@testable import SagamoreHistoryService

extension HistoryTests {
    /// Updates, from their callers to workers and back.
    @Suite struct Updates {
        private func idle(_ node: Node, _ workflowID: String = "one") throws {
            try node.start(workflowID).get()
            try node.work()
        }

        private func succeeds(_ status: UpdateStatus, _ value: String = "done") -> Bool {
            status.stage == .completed && status.outcome == Samples.outcome(value)
        }

        private func isAbandoned(_ status: UpdateStatus) -> Bool { status.outcome == abandonedUpdateOutcome }

        @Test func outcomeStaysForEver() throws {
            let database = try TestDatabase()
            let node = try Node(database).started()
            try idle(node)
            let update = try node.update("one", "u")
            try node.answer(try node.workflowTask(), Samples.acceptance("u"), Samples.completion("u")).get()
            #expect(succeeds(try update.get()))
            #expect(succeeds(try node.update("one", "u").get()))
            #expect(succeeds(try node.outcome("one", "u").get()))
            try node.terminate("one").get()
            #expect(succeeds(try node.update("one", "u").get()))
            node.kill()

            let next = try Node(database).started()
            defer { next.stop() }
            #expect(succeeds(try next.update("one", "u").get()))
            #expect(succeeds(try next.outcome("one", "u").get()))
            #expect(try next.update("one", "other").error().message == "workflow execution already completed")
            #expect(try next.outcome("one", "other").error().message == "update \"other\" not found")
        }

        @Test func rejectionWritesNothing() throws {
            let database = try TestDatabase()
            let node = try Node(database).started()
            defer { node.stop() }
            try idle(node)
            let rows = try database.number("select count(*) from sagamore.journal")
            for _ in 0..<2 {
                let update = try node.update("one", "u")
                let completed = try node.answer(try node.workflowTask(), Samples.rejection("u")).get()
                #expect(completed.resetHistoryEventID == 3)
                guard case .failure? = try update.get().outcome?.value else {
                    Issue.record("a rejected update did not fail")
                    return
                }
            }
            #expect(try database.number("select count(*) from sagamore.journal") == rows)
            #expect(try node.events("one").count == 4)
            #expect(try node.outcome("one", "u").error().code == .notFound)
        }

        @Test func acceptedUpdateIsCompletedAfterARestart() throws {
            let database = try TestDatabase()
            let node = try Node(database).started()
            try idle(node)
            let update = try node.update("one", "u", for: .accepted)
            try node.answer(try node.workflowTask(), Samples.acceptance("u")).get()
            #expect(try update.get().stage == .accepted)
            node.kill()

            let next = try Node(database).started()
            defer { next.stop() }
            #expect(try next.outcome("one", "u", for: .unspecified).get().stage == .accepted)
            let outcome = next.outcome("one", "u")
            try next.signal("one", "go").get()
            try next.answer(try next.workflowTask(), Samples.completion("u")).get()
            #expect(succeeds(try outcome.get()))
        }

        /// Its caller loses the connection, and sends it again.
        @Test func updateThatAWorkerHeldIsSentAgainAfterARestart() throws {
            let database = try TestDatabase()
            let node = try Node(database).started()
            try idle(node)
            _ = try node.update("one", "u")
            let lost = try node.workflowTask()
            node.kill()

            let next = try Node(database).started()
            defer { next.stop() }
            #expect(try next.answer(lost, Samples.acceptance("u")).error().code == .notFound)
            #expect(try next.outcome("one", "u").error().code == .notFound)
            let update = try next.update("one", "u")
            try next.answer(try next.workflowTask(), Samples.acceptance("u"), Samples.completion("u")).get()
            #expect(succeeds(try update.get()))
            #expect(HistoryRules.violations(in: try next.events("one")) == [])
        }

        @Test func callersOfARunWhoseCommitFailedSendTheirUpdatesAgain() throws {
            let node = try Node(TestDatabase()).started()
            defer { node.stop() }
            try idle(node)
            let update = try node.update("one", "u")
            let task = try node.workflowTask()
            // The run's first row has this number.
            node.faults.corrupt { batch in
                for index in batch.journal.indices { batch.journal[index].sequence = 1 }
            }
            let completion = try node.answer(task, Samples.acceptance("u"), Samples.completion("u"))
            #expect(try update.error().code == .unavailable)
            #expect(try completion.error().code == .internalError)
            node.faults.corrupt(nil)
            let again = try node.update("one", "u")
            try node.answer(try node.workflowTask(), Samples.acceptance("u"), Samples.completion("u")).get()
            #expect(succeeds(try again.get()))
        }

        @Test func outcomeIsToldOnceItIsCommitted() throws {
            let node = try Node(TestDatabase()).started()
            defer { node.stop() }
            try idle(node)
            let update = try node.update("one", "u")
            let task = try node.workflowTask()
            node.faults.hold()
            let completion = try node.answer(task, Samples.acceptance("u"), Samples.completion("u"))
            try eventually("commit at the gate") { node.faults.isHolding }
            let again = try node.update("one", "u")
            let polled = node.outcome("one", "u", for: .unspecified)
            #expect(!update.isAnswered && !again.isAnswered && !polled.isAnswered)
            node.faults.letGo()
            for call in [update, again, polled] { #expect(succeeds(try call.get())) }
            try completion.get()
        }

        @Test func callerHearsAtItsDeadlineHowFarItHasCome() throws {
            let clock = TestClock()
            let node = try Node(TestDatabase(), clock: clock).started()
            defer { node.stop() }
            try idle(node)
            let accepted = try node.update("one", "accepted", deadline: clock.now + .seconds(20))
            try node.answer(try node.workflowTask(), Samples.acceptance("accepted")).get()
            let admitted = try node.update("one", "admitted", for: .accepted, deadline: clock.now + .seconds(20))
            #expect(!accepted.isAnswered)
            clock.jump(.seconds(21))
            #expect(try accepted.get().stage == .accepted)
            #expect(try admitted.get().stage == .admitted)
        }

        /// An update that nobody has answered is in memory only, so its run stays there.
        @Test func waitingUpdateKeepsItsRunInMemoryAndAnAcceptedOneDoesNot() throws {
            let clock = TestClock()
            let node = try Node(TestDatabase(), clock: clock) { $0.parkAfter = .seconds(5) }.started()
            defer { node.stop() }
            try node.start("waiting") { $0.workflowTaskTimeout = Interval.seconds(100).duration }.get()
            try node.work()
            try idle(node, "accepted")
            let update = try node.update("accepted", "u")
            try node.answer(try node.workflowTask(), Samples.acceptance("u")).get()
            _ = try node.update("waiting", "u")
            let task = try node.workflowTask()
            #expect(task.key.workflowID == "waiting")
            clock.jump(.seconds(8))
            try eventually("parked") { !node.isCached("accepted") }
            #expect(node.isCached("waiting"))
            try node.signal("accepted", "go").get()
            try node.answer(try node.workflowTask(), Samples.completion("u")).get()
            #expect(succeeds(try update.get()))
        }

        @Test func endOfTheRunAnswersItsCallers() throws {
            let node = try Node(TestDatabase()).started()
            defer { node.stop() }
            try idle(node)
            let accepted = try node.update("one", "accepted")
            try node.answer(try node.workflowTask(), Samples.acceptance("accepted")).get()
            let admitted = try node.update("one", "admitted")
            try node.terminate("one").get()
            #expect(isAbandoned(try accepted.get()))
            #expect(try admitted.error().message == "workflow update was aborted by closing workflow")
            #expect(isAbandoned(try node.outcome("one", "accepted").get()))
        }

        /// Whoever meant the workflow, and not this run of it, means the run that follows.
        @Test func updateThatItsRunDidNotAcceptGoesToTheNextRun() throws {
            let node = try Node(TestDatabase()).started()
            defer { node.stop() }
            let first = try node.start("one").get().runID
            try node.work()
            let update = try node.update("one", "u")
            let own = try node.update("one", "v", runID: first)
            let second = try node.start("one") { $0.workflowIDConflictPolicy = .terminateExisting }.get().runID
            #expect(try own.error().message == "workflow update was aborted by closing workflow")
            let task = try node.workflowTask()
            #expect(task.runID == second)
            try node.answer(task, Samples.acceptance("u"), Samples.completion("u")).get()
            let status = try update.get()
            #expect(succeeds(status) && status.runID == second)
        }

        @Test func updateOfAnotherChainIsRefused() throws {
            let node = try Node(TestDatabase()).started()
            defer { node.stop() }
            let first = try node.start("one").get().runID
            try node.work()
            let other = "11111111-1111-4111-8111-111111111111"
            #expect(try node.update("one", "u", chain: other).error().message == RequestError.chainNotFound.message)
            let update = try node.update("one", "u", chain: first.description)
            try node.answer(try node.workflowTask(), Samples.acceptance("u"), Samples.completion("u")).get()
            #expect(succeeds(try update.get()))
        }

        @Test func updateGoesToTheRunThatItsOwnContinuesAs() throws {
            let node = try Node(TestDatabase()) { $0.limits.shortestRun = .zero }.started()
            defer { node.stop() }
            let first = try node.start("one").get().runID
            let task = try node.workflowTask()
            let update = try node.update("one", "u", chain: first.description)
            try node.complete(task) { $0.commands = [Samples.continueAsNew()] }.get()
            let next = try node.workflowTask()
            #expect(next.runID != first)
            #expect(next.delivery.messages.map(\.protocolInstanceID) == ["u"])
            try node.answer(next, Samples.acceptance("u"), Samples.completion("u")).get()
            let status = try update.get()
            #expect(succeeds(status) && status.runID == next.runID)
        }

        /// An accepted one comes again with its event, one that waits with its caller.
        @Test func updatesGoOnInTheRunOfAReset() throws {
            let database = try TestDatabase()
            let node = try Node(database).started()
            try idle(node)
            let accepted = try node.update("one", "accepted")
            try node.answer(try node.workflowTask(), Samples.acceptance("accepted")).get()
            let waiting = try node.update("one", "waiting")
            let second = try node.reset("one", at: 4).get()
            #expect(isAbandoned(try accepted.get()))
            let task = try node.workflowTask()
            #expect(task.runID == second)
            #expect(try decoded(task.history).contains { $0.eventType == .workflowExecutionUpdateAdmitted })
            #expect(task.delivery.messages.map(\.protocolInstanceID) == ["waiting"])
            try node.answer(
                task,
                Samples.acceptance("accepted"),
                Samples.acceptance("waiting"),
                Samples.completion("waiting")
            ).get()
            #expect(succeeds(try waiting.get()))
            node.kill()

            let next = try Node(database).started()
            defer { next.stop() }
            let outcome = next.outcome("one", "accepted")
            try next.signal("one", "go").get()
            try next.answer(try next.workflowTask(), Samples.completion("accepted")).get()
            let status = try outcome.get()
            #expect(succeeds(status) && status.runID == second)
        }

        @Test func updateComesBehindTheSignalsBeforeIt() throws {
            let node = try Node(TestDatabase()).started()
            defer { node.stop() }
            try idle(node)
            try node.signal("one", "before").get()
            let update = try node.update("one", "u")
            let task = try node.workflowTask()
            #expect(try decoded(task.history).contains { $0.eventType == .workflowExecutionSignaled })
            #expect(task.delivery.messages.map(\.protocolInstanceID) == ["u"])
            try node.answer(task, Samples.rejection("u")).get()
            try update.get()
        }
    }
}

extension Node {
    func update(
        _ workflowID: String,
        _ id: String,
        for stage: UpdateWorkflowExecutionLifecycleStage = .completed,
        runID: RunID? = nil,
        chain: String? = nil,
        deadline: Instant = .distantFuture
    ) throws -> Call<UpdateStatus> {
        let request = try Samples.update(id, limits: Limits())
        let workflow = reference(workflowID, runID)
        return Call {
            history.update(
                WorkflowReference(key: workflow.key, runID: workflow.runID, firstRunID: chain),
                request,
                waitingFor: stage,
                deadline: deadline,
                reply: $0
            )
        }
    }

    func outcome(
        _ workflowID: String,
        _ id: String,
        for stage: UpdateWorkflowExecutionLifecycleStage = .completed
    ) -> Call<UpdateStatus> {
        Call {
            history.pollUpdate(reference(workflowID), id: id, waitingFor: stage, deadline: .distantFuture, reply: $0)
        }
    }

    /// Answers a workflow task with messages.
    func answer(_ task: AssignedWorkflowTask, _ messages: ProtocolMessage...) throws -> Call<CompletedWorkflowTask> {
        try complete(task) { $0.messages = messages }
    }
}
