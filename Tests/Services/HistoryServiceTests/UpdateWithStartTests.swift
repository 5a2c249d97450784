import SagamoreAPI
import SagamoreEngine
import SagamoreEngineTestSupport
import SagamoreServices
import Testing

@testable import SagamoreHistoryService

extension HistoryTests {
    /// Starts together with updates: both take effect, or neither.
    @Suite struct UpdatesWithStarts {
        private func ask(
            _ node: Node,
            _ updateID: String = "u",
            requestID: String = "first",
            for stage: UpdateWorkflowExecutionLifecycleStage = .completed,
            _ adjust: (inout StartWorkflowExecutionRequest) -> Void = { _ in }
        ) throws -> Call<StartedUpdate> {
            let start = try node.startRequest("one", requestID: requestID, adjust)
            let update = try Samples.update(updateID, limits: Limits())
            return Call {
                node.history.startAndUpdate(
                    start,
                    update,
                    namespace: 1,
                    waitingFor: stage,
                    deadline: .distantFuture,
                    reply: $0
                )
            }
        }

        private func answer(_ node: Node, _ updateID: String = "u") throws {
            let task = try node.workflowTask()
            try node.answer(task, Samples.acceptance(updateID), Samples.completion(updateID)).get()
        }

        private func isDone(_ answer: StartedUpdate) -> Bool { answer.update.outcome == Samples.outcome("done") }

        @Test func theFirstTaskHasTheUpdate() throws {
            let node = try Node(TestDatabase()).started()
            defer { node.stop() }
            let call = try ask(node)
            try answer(node)
            let answer = try call.get()
            #expect(answer.run.isNew && isDone(answer) && !answer.isRepeated)
            #expect(try node.events("one").count == 6)
            let again = try ask(node).get()
            #expect(!again.run.isNew && isDone(again) && again.isRepeated && again.run.runID == answer.run.runID)
        }

        /// The client hears nothing of a start whose server was killed, and asks again.
        @Test func askedAgainAfterACrashItFindsItsRun() throws {
            let database = try TestDatabase()
            let node = try Node(database).started()
            _ = try ask(node)
            let lost = try node.workflowTask()
            node.kill()

            let next = try Node(database).started()
            defer { next.stop() }
            let call = try ask(next)
            try answer(next)
            let answer = try call.get()
            #expect(!answer.run.isNew && isDone(answer) && answer.run.runID == lost.runID)
            #expect(try database.number("select count(*) from sagamore.runs") == 1)
        }

        @Test func aStartThatCannotBeStoredHasNoUpdate() throws {
            let database = try TestDatabase()
            let node = try Node(database).started()
            defer { node.stop() }
            try node.start("other").get()
            node.faults.corrupt { batch in batch.journal += batch.journal }
            let call = try ask(node)
            #expect(try call.error().code == .unavailable)
            node.faults.corrupt(nil)
            #expect(try database.number("select count(*) from sagamore.runs") == 1)
            let again = try ask(node)
            _ = try node.workflowTask()
            try answer(node)
            #expect(try again.get().run.isNew)
        }

        /// Its outcome is read from the history, however the run has left memory.
        @Test func aClosedRunKnowsWhatItCompleted() throws {
            let node = try Node(TestDatabase()).started()
            defer { node.stop() }
            let call = try ask(node)
            try answer(node)
            let run = try call.get().run.runID
            try node.terminate("one").get()
            try eventually("out of memory") { !node.isCached("one") }
            let again = try ask(node, requestID: "second").get()
            #expect(again.isRepeated && isDone(again) && again.run.runID == run && again.run.status == .terminated)
            let other = try ask(node, "other", requestID: "second")
            try answer(node, "other")
            let answer = try other.get()
            #expect(answer.run.isNew && answer.run.runID != run && isDone(answer))
        }

        @Test func aRunThatClosesFirstIsFollowedByAnother() throws {
            let node = try Node(TestDatabase()).started()
            defer { node.stop() }
            try node.start("one", requestID: "first").get()
            let task = try node.workflowTask()
            let call = try ask(node, requestID: "second") { $0.workflowIDConflictPolicy = .useExisting }
            try node.complete(task, [Samples.complete()]).get()
            try answer(node)
            let answer = try call.get()
            #expect(answer.run.isNew && answer.run.runID != task.runID && isDone(answer))
        }

        @Test func aRunThatWasStartedForAnUpdateAndClosesAbortsIt() throws {
            let node = try Node(TestDatabase()).started()
            defer { node.stop() }
            let call = try ask(node)
            try node.complete(try node.workflowTask(), [Samples.complete()]).get()
            let error = try call.error()
            guard case .operations(let outcomes)? = error.detail, outcomes.count == 2, case .done = outcomes[0],
                case .failed(let reason) = outcomes[1]
            else {
                Issue.record("\(error) has no outcomes")
                return
            }
            #expect(reason.message == "workflow update was aborted by closing workflow")
        }
    }
}
