import Foundation
import SagamoreAPI
import SagamoreEngine
import SagamoreEngineTestSupport
import SagamoreServices
import Testing

@testable import SagamoreHistoryService

extension HistoryTests {
    /// No answer reveals state that can still be lost.
    @Suite struct Release {
        /// Holds the lane, makes a decision, sends requests, and lets the commit fail. No request may be answered
        /// before that, and no answer may reveal what was lost.
        private func asked<Success: Sendable>(
            _ node: Node,
            about word: String,
            deciding decide: () throws -> Void,
            _ ask: () throws -> [Call<Success>],
            _ location: SourceLocation = #_sourceLocation
        ) throws {
            node.faults.corrupt { batch in
                for index in batch.journal.indices where batch.journal[index].events.contains(word: word) {
                    batch.journal[index].sequence = 1
                    if batch.newRuns.isEmpty { continue }
                    // A new run has no row with that number, so another key is violated.
                    batch.newRuns.append(batch.newRuns[0])
                }
            }
            node.faults.hold()
            try decide()
            try eventually("commit at the gate", location) { node.faults.isHolding }
            let calls = try ask()
            // Some requests need the loader. The lookup of an unknown workflow comes after theirs.
            _ = try node.describe("unknown").error(location)
            for (number, call) in calls.enumerated() {
                #expect(!call.isAnswered, "question \(number) was answered too early", sourceLocation: location)
            }
            node.faults.letGo()
            for (number, call) in calls.enumerated() {
                let error = try call.error(location)
                #expect(error.code == .unavailable, "question \(number): \(error)", sourceLocation: location)
            }
            node.faults.corrupt(nil)
        }

        @Test func aDuplicateSignalIsNotAnsweredWithSuccessWhenTheFirstIsLost() throws {
            let node = try Node(TestDatabase()).started()
            defer { node.stop() }
            let run = try node.start("one").get()
            var first: Call<RunID>?
            try asked(node, about: "precious") {
                first = try node.signal("one", "precious", requestID: "same")
            } _: {
                [
                    try node.signal("one", "precious", requestID: "same"),
                    try node.signal("one", "precious", requestID: "same"),
                ]
            }
            #expect(try first?.error().code == .internalError)
            // A repeated request takes effect, once.
            #expect(try node.signal("one", "precious", requestID: "same").get() == run.runID)
            #expect(try node.signal("one", "precious", requestID: "same").get() == run.runID)
            #expect(try node.signals("one") == ["precious"])
        }

        @Test func aStartThatIsLostWasSeenByNobody() throws {
            let node = try Node(TestDatabase()).started()
            defer { node.stop() }
            var first: Call<StartedRun>?
            let begin = { first = try node.start("one", requestID: "same") { $0.input = Samples.payloads("precious") } }
            try asked(node, about: "precious", deciding: begin) {
                [
                    // The same request, another one, and one that uses the existing run.
                    try node.start("one", requestID: "same"),
                    try node.start("one", requestID: "other"),
                    try node.start("one", requestID: "third") { $0.workflowIDConflictPolicy = .useExisting },
                ]
            }
            #expect(try first?.error().code == .internalError)
            try asked(node, about: "precious", deciding: begin) { [node.describe("one")] }
            var follower: Call<HistoryPage>?
            try asked(node, about: "precious", deciding: begin) {
                follower = node.page("one", waits: true)
                return [node.page("one")]
            }
            #expect(try follower?.error().code == .notFound)
            #expect(try node.describe("one").error().code == .notFound)
        }

        @Test func anEndThatIsLostWasSeenByNobody() throws {
            let node = try Node(TestDatabase()).started()
            defer { node.stop() }
            try node.start("one").get()
            try node.work(Samples.schedule("a"))
            let activity = try node.activityTask()
            let task = { try node.complete(activity, result: "precious") }
            var first: Call<Void>?
            // The same completion again. NOT_FOUND would tell the worker that the first one took effect.
            try asked(node, about: "precious", deciding: { first = try task() }) { [try task(), try task()] }
            #expect(try first?.error().code == .internalError)
            let precious = Samples.complete("precious")
            func end() throws { _ = try node.complete(try node.workflowTask(), [precious]) }
            try task().get()

            func once<Success: Sendable>(_ ask: () throws -> [Call<Success>]) throws {
                let task = try node.workflowTask()
                try asked(node, about: "precious", deciding: { _ = try node.complete(task, [precious]) }, ask)
            }
            try once { [node.terminate("one"), node.cancel("one")] }
            try once { [try node.signal("one", "late")] }
            try once { [node.query("one", rejecting: .notOpen)] }
            try once { [node.describe("one")] }
            try once { [node.page("one", onlyClose: true)] }
            var follower: Call<HistoryPage>?
            try once {
                follower = node.page("one", waits: true, onlyClose: true)
                return [node.page("one", onlyClose: true)]
            }
            try once { [try node.start("one")] }
            #expect(try node.status("one") == .running)
            // A follower of the close event waits until one is committed.
            #expect(follower?.isAnswered == false)
            try node.work(precious)
            #expect(try node.status("one") == .completed)
            #expect(try follower.map { try decoded($0.get().frames).map(\.eventType) } == [.workflowExecutionCompleted])
        }

        @Test func noWorkerIsToldOfAReplacementThatIsLost() throws {
            let node = try Node(TestDatabase()).started()
            defer { node.stop() }
            try node.start("one").get()
            try node.work(Samples.schedule("a") { $0.startToCloseTimeout = Interval.seconds(600).duration })
            let activity = try node.activityTask()
            let token = try node.activityToken(activity)
            try node.signal("one", "go").get()
            let task = try node.workflowTask()

            func once<Success: Sendable>(_ ask: () throws -> [Call<Success>]) throws {
                var replacing: Call<StartedRun>?
                try asked(node, about: "precious") {
                    replacing = try node.start("one") { request in
                        request.workflowIDConflictPolicy = .terminateExisting
                        request.input = Samples.payloads("precious")
                    }
                } _: {
                    try ask()
                }
                #expect(try replacing?.error().code == .internalError)
            }
            try once { [try node.complete(task)] }
            try once { [try node.complete(activity)] }
            try once { [Call<HeartbeatAnswer> { node.history.heartbeat(token, details: nil, reply: $0) }] }
            // The run was not replaced.
            try node.complete(activity).get()
            #expect(try node.status("one") == .running)
        }

        @Test func aTaskIsGivenOnlyWhenItsCauseIsCommitted() throws {
            let node = try Node(TestDatabase()).started()
            defer { node.stop() }
            let poll = node.pollWorkflowTask()
            var first: Call<StartedRun>?
            try asked(node, about: "precious") {
                first = try node.start("one") { $0.input = Samples.payloads("precious") }
            } _: {
                [node.describe("one")]
            }
            #expect(try first?.error().code == .internalError)
            // The poll did not get the lost task, and gets the next one.
            #expect(!poll.isAnswered)
            try node.start("two").get()
            guard case .task(let task) = try poll.get() else { return #expect(Bool(false), "no task came") }
            #expect(task.key.workflowID == "two")
        }

        @Test func aRunThatIsCommittedDoesNotWaitForTheOthers() throws {
            let node = try Node(TestDatabase()).started()
            defer { node.stop() }
            try node.start("one").get()
            node.faults.hold()
            let other = try node.start("two")
            try eventually("commit at the gate") { node.faults.isHolding }
            // What these answers reveal is committed, whatever else is queued.
            #expect(try node.status("one") == .running)
            let task = try node.workflowTask()
            #expect(task.key.workflowID == "one")
            #expect(!other.isAnswered)
            // The next decision is not committed.
            let completion = try node.complete(task, [Samples.complete("done")])
            let description = node.describe("one")
            #expect(!completion.isAnswered && !description.isAnswered)
            node.faults.letGo()
            #expect(try description.get().workflowExecutionInfo?.status == .completed)
            try completion.get()
            try other.get()
        }

        /// A handler can answer only through its access.
        @Test func whatAnAccessAnswersWaitsForItsRun() throws {
            let node = try Node(TestDatabase()).started()
            defer { node.stop() }
            try node.start("one").get()
            try node.start("two").get()
            node.faults.hold()
            let signal = try node.signal("one", "first")
            try eventually("commit at the gate") { node.faults.isHolding }
            func ask(
                _ workflowID: String,
                _ answer: @escaping @Sendable (consuming RunAccess<Int>) -> Void
            ) -> Call<Int> {
                Call { node.shard.access(Node.key(workflowID), Caller($0), proceed: answer) }
            }
            let behind = [
                ask("one") { (access: consuming RunAccess<Int>) in access.succeed(1) },
                ask("one") { (access: consuming RunAccess<Int>) in access.whenCommitted { $0.succeed(1) } },
                ask("two") { (access: consuming RunAccess<Int>) in access.whenAllIsCommitted { $0.succeed(1) } },
            ]
            let refused = ask("one") { (access: consuming RunAccess<Int>) in access.fail(.workflowClosed) }
            // All that these requests saw is committed.
            #expect(try ask("two") { (access: consuming RunAccess<Int>) in access.succeed(2) }.get() == 2)
            let read = ask("two") { (access: consuming RunAccess<Int>) in access.whenCommitted { $0.succeed(2) } }
            #expect(try read.get() == 2)
            #expect(!signal.isAnswered && !refused.isAnswered && !behind.contains { $0.isAnswered })
            // A dropped access answers its caller.
            #expect(try ask("one") { (_: consuming RunAccess<Int>) in }.error().code == .unavailable)
            node.faults.letGo()
            for call in behind { #expect(try call.get() == 1) }
            #expect(try refused.error().message == RequestError.workflowClosed.message)
        }

        @Test func aLongPollHearsOfTheEndAtOnceAlsoBehindAnItemWithoutRows() throws {
            let node = try Node(TestDatabase()).started()
            defer { node.stop() }
            try node.start("one").get()
            let follower = node.page("one", waits: true, onlyClose: true)
            try eventually("waits") { node.shard.perform { !node.shard.state.runs.waitedFor.isEmpty } }
            node.faults.hold()
            let end = node.terminate("one")
            try eventually("commit at the gate") { node.faults.isHolding }
            // Decided after the close, in a batch of its own.
            let description = node.describe("one")
            let began = ContinuousClock.now
            node.faults.letGo()
            try end.get()
            #expect(try description.get().workflowExecutionInfo?.status == .terminated)
            #expect(try decoded(try follower.get().frames).map(\.eventType) == [.workflowExecutionTerminated])
            #expect(ContinuousClock.now - began < .seconds(10))
        }
    }
}
