import Foundation
import SagamoreAPI
import SagamoreEngine
import SagamoreEngineTestSupport
import SagamoreProtobuf
import SagamoreServices
import Testing

@testable import SagamoreHistoryService

extension HistoryTests {
    /// Starts with a signal, and starts whose answer holds the first workflow task.
    @Suite struct SignalledStarts {
        private func request(
            _ node: Node,
            _ requestID: String,
            _ adjust: (inout StartWorkflowExecutionRequest) -> Void = { _ in }
        ) throws -> StartRequest {
            let start = try node.startRequest("one", requestID: requestID, adjust)
            let signal = try Samples.signal("signal \(requestID)", requestID: requestID)
            return try StartRequest(start.request, signal: signal, limits: Limits())
        }

        @Test func startsOrSignalsOnceForEachRequest() throws {
            let database = try TestDatabase()
            var node = try Node(database).started()
            let first = try node.start(try request(node, "1")).get()
            #expect(first.isNew)
            for id in ["1", "2", "2"] {
                let answer = try node.start(try request(node, id)).get()
                #expect(answer.runID == first.runID && !answer.isNew)
            }
            node.kill()
            node = try Node(database).started()
            defer { node.stop() }
            #expect(try !node.start(try request(node, "2")).get().isNew)
            #expect(try node.signals("one") == ["signal 1", "signal 2"])
            try node.work(Samples.complete())
            let second = try node.start(try request(node, "3")).get()
            #expect(second.isNew && second.runID != first.runID)
            #expect(try node.signals("one") == ["signal 3"])
        }

        @Test func policiesDecideAboutClosedAndOpenRuns() throws {
            let node = try Node(TestDatabase()).started()
            defer { node.stop() }
            let first = try node.start(try request(node, "1")).get()
            // Only a closed run is rejected.
            let open = try node.start(try request(node, "2") { $0.workflowIDReusePolicy = .rejectDuplicate }).get()
            #expect(open.runID == first.runID)
            let replaced = try node.start(
                try request(node, "3") { $0.workflowIDConflictPolicy = .terminateExisting }
            ).get()
            #expect(replaced.isNew)
            #expect(try node.status("one", first.runID) == .terminated)
            try node.work(Samples.complete())
            let rejected = node.start(try request(node, "4") { $0.workflowIDReusePolicy = .rejectDuplicate })
            #expect(try rejected.error().code == .alreadyExists)
        }

        @Test func eagerStartHoldsTheFirstTask() throws {
            let database = try TestDatabase()
            let node = try Node(database).started()
            let run = try node.start("one", requestID: "start") { $0.requestEagerExecution = true }.get()
            let task = try #require(run.eagerTask)
            #expect(try decoded(task.history).map(\.eventID) == [1, 2, 3])
            #expect(try node.workflowTaskIfDue() == nil)
            try node.complete(task, [Samples.startTimer("timer", .seconds(60))]).get()
            #expect(try node.outline("one").last == "5 TimerStarted")
            // The answer is lost with the process: the task is due again.
            let other = try node.start("two") { $0.requestEagerExecution = true }.get()
            #expect(other.eagerTask != nil)
            node.kill()
            let next = try Node(database).started()
            defer { next.stop() }
            #expect(try next.work(Samples.complete()).runID == other.runID)
        }

        @Test func startThatUsesARunIsAttachedOnce() throws {
            let database = try TestDatabase()
            let node = try Node(database).started()
            let first = try node.start("one", requestID: "start").get()
            func attach(_ node: Node, _ requestID: String) throws -> StartedRun {
                try node.start("one", requestID: requestID) { request in
                    request.workflowIDConflictPolicy = .useExisting
                    request.onConflictOptions = .with { $0.attachRequestID = true }
                }.get()
            }
            let task = try node.workflowTask()
            for _ in 0..<2 {
                let answer = try attach(node, "other")
                #expect(answer.runID == first.runID && !answer.isNew && answer.isAttached)
            }
            try node.complete(task).get()
            node.kill()
            let next = try Node(database).started()
            defer { next.stop() }
            #expect(try attach(next, "other").isAttached)
            // Whatever its policy says: the request has its run.
            #expect(try next.start("one", requestID: "other").get().isAttached)
            let events = try next.outline("one").filter { $0.hasSuffix("WorkflowExecutionOptionsUpdated") }
            #expect(events == ["5 WorkflowExecutionOptionsUpdated"])
        }

        /// Nothing is known of the workflow, so the start assumes that it is new, and the commit says that it is not.
        @Test func eagerStartOfAKnownWorkflowIsLookedUp() throws {
            let database = try TestDatabase()
            let node = try Node(database).started()
            try node.start("one").get()
            try node.work(Samples.complete())
            node.kill()
            let next = try Node(database).started()
            defer { next.stop() }
            let run = try next.start("one", requestID: "again") { $0.requestEagerExecution = true }.get()
            let task = try #require(run.eagerTask)
            #expect(task.runID == run.runID)
            try next.complete(task, [Samples.complete()]).get()
            #expect(try next.status("one") == .completed)
        }
    }
}
