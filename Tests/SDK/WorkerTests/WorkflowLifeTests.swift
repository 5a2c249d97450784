import Foundation
import Testing

@testable import Sagamore

/// Workflows with others beside them, on our real server: children, chains, updates.
@Suite(.timeLimit(.minutes(2)))
struct WorkflowLifeTests {
    /// Starts a child for each name, signals all of them, and collects what they return.
    private struct Family: Workflow {
        struct Plan: Codable, Sendable {
            var queue: String
            var names: [String]
        }

        static let type = WorkflowKind<Plan, [String]>("Family", taskQueue: "any")

        func run(_ context: WorkflowContext<NoState>, _ plan: Plan) async throws -> [String] {
            try await withThrowingTaskGroup(of: String.self) { group in
                for name in plan.names {
                    group.addTask {
                        var options = ChildWorkflowOptions(id: "\(context.info.workflowID)-\(name)")
                        options.taskQueue = plan.queue
                        let child = try await context.start(child: Member.type, name, options)
                        try await child.signal(Member.speak, "I am")
                        return try await child.result()
                    }
                }
                var results: [String] = []
                for try await result in group { results.append(result) }
                return results.sorted()
            }
        }
    }

    /// Waits for a word, and fails when its name is nobody.
    private struct Member: Workflow {
        struct State: WorkflowState { var word: String? }
        static let type = WorkflowKind<String, String>("Member", taskQueue: "any")
        static let speak = Signal<String>("speak")
        static let handlers: [Handler<State>] = [.on(speak) { state, word in state.word = word }]

        func run(_ context: WorkflowContext<State>, _ name: String) async throws -> String {
            try await context.condition { $0.word != nil }
            if name == "nobody" { throw ApplicationError("nobody speaks", type: "Silence") }
            return "\(context.state.word ?? "") \(name) of \(context.info.parent == nil ? "nobody" : "somebody")"
        }
    }

    @Test func aParentHearsOfEachChild() async throws {
        try await withWorker { queue in
            Family.registered(on: queue)
            Member.registered(on: queue)
        } _: { client, queue, _ in
            let names = (0..<10).map { "child\($0)" }
            let handle = try await client.start(Family.self, .init(queue: queue, names: names), queue: queue)
            #expect(try await handle.result() == names.map { "I am \($0) of somebody" })
        }
    }

    @Test func aFailedChildNamesItsCause() async throws {
        try await withWorker { queue in
            Family.registered(on: queue)
            Member.registered(on: queue)
        } _: { client, queue, _ in
            let handle = try await client.start(Family.self, .init(queue: queue, names: ["nobody"]), queue: queue)
            do {
                _ = try await handle.result()
                Issue.record("the workflow completed")
            } catch let ended as WorkflowFailedError {
                let failure = try #require(ended.cause as? ChildWorkflowError)
                #expect((failure.cause as? ApplicationError)?.type == "Silence")
            }
        }
    }

    /// Signals a workflow, and says what came of it.
    private struct Caller: Workflow {
        static let type = WorkflowKind<String, String>("Caller", taskQueue: "any")

        func run(_ context: WorkflowContext<NoState>, _ other: String) async throws -> String {
            do {
                try await context.external(other).signal(Member.speak, "It is")
                return "signalled"
            } catch let failure as ExternalWorkflowError {
                return "\(failure.reason)"
            }
        }
    }

    @Test func aWorkflowSignalsAnother() async throws {
        try await withWorker { queue in
            Caller.registered(on: queue)
            Member.registered(on: queue)
        } _: { client, queue, _ in
            let other = try await client.start(Member.self, "Ada", queue: queue)
            let caller = try await client.start(Caller.self, other.id, queue: queue)
            #expect(try await caller.result() == "signalled")
            #expect(try await other.result() == "It is Ada of nobody")
            let late = try await client.start(Caller.self, "missing-\(UUID().uuidString)", queue: queue)
            #expect(try await late.result() == "notFound")
        }
    }

    /// Counts up to its limit, a run for each number.
    private struct Counting: Workflow {
        struct Count: Codable, Sendable {
            var queue: String
            var now: Int
            var limit: Int
        }

        static let type = WorkflowKind<Count, Int>("Counting", taskQueue: "any")

        func run(_ context: WorkflowContext<NoState>, _ count: Count) async throws -> Int {
            if count.now == count.limit { return count.now }
            var next = count
            next.now += 1
            throw try ContinueAsNew(Self.type, next, taskQueue: count.queue)
        }
    }

    @Test func aChainOfRunsHasOneResult() async throws {
        try await withWorker { queue in
            Counting.registered(on: queue)
        } _: { client, queue, _ in
            let count = Counting.Count(queue: queue, now: 1, limit: 5)
            let handle = try await client.start(Counting.self, count, queue: queue)
            #expect(try await handle.result() == 5)
            let last = client.handle(Counting.type, id: handle.id)
            #expect(try await last.describe().status == .completed)
        }
    }

    /// A cart that clients fill by updates.
    private struct Cart: Workflow {
        struct State: WorkflowState { var items: [String] = []; var isClosed = false }
        static let type = WorkflowKind<Nothing, [String]>("Cart", taskQueue: "any")
        static let add = Update<String, Int>("add")
        static let addLoudly = Update<String, String>("add_loudly")
        static let close = Signal<Nothing>("close")
        static let handlers: [Handler<State>] = [
            .on(close) { state, _ in state.isClosed = true },
            .on(add, validate: { _, item in if item.isEmpty { throw ApplicationError("empty", type: "Empty") } }) {
                state,
                item in
                state.items.append(item)
                return state.items.count
            },
            .on(
                addLoudly,
                run: { context, item in
                    let loud = try await context.execute(shout, item)
                    context.update { $0.items.append(loud) }
                    return loud
                }
            ),
        ]

        func run(_ context: WorkflowContext<State>, _ input: Nothing) async throws -> [String] {
            try await context.condition { $0.isClosed }
            try await context.allHandlersFinished()
            return context.state.items
        }
    }

    @Test(arguments: [0, 2_000]) func aClientUpdatesAWorkflow(cachedRuns: Int) async throws {
        var options = WorkerOptions()
        options.maximumCachedRuns = cachedRuns
        try await withWorker(options) { queue in
            Cart.registered(on: queue)
            shout.implemented { text in text.uppercased() }
        } _: { client, queue, _ in
            let handle = try await client.start(Cart.self, Nothing(), queue: queue)
            #expect(try await handle.update(Cart.add, "tea", id: "first") == 1)
            // The same id has the same outcome.
            #expect(try await handle.update(Cart.add, "tea", id: "first") == 1)
            do {
                _ = try await handle.update(Cart.add, "")
                Issue.record("the update was accepted")
            } catch let failed as UpdateFailedError {
                #expect((failed.cause as? ApplicationError)?.type == "Empty")
            }
            #expect(try await handle.update(Cart.addLoudly, "milk") == "MILK")
            let later = try await handle.startUpdate(Cart.addLoudly, "sugar")
            try await handle.signal(Cart.close, Nothing())
            #expect(try await later.result() == "SUGAR")
            #expect(try await handle.result() == ["tea", "MILK", "SUGAR"])
        }
    }

    @Test func aSignalStartsAWorkflowThatDoesNotRun() async throws {
        try await withWorker { queue in
            Member.registered(on: queue)
        } _: { client, queue, _ in
            var options = WorkflowOptions(id: "member-\(UUID().uuidString)")
            options.taskQueue = queue
            let handle = try await client.signalWithStart(
                Member.type,
                "Bob",
                options,
                signal: Member.speak,
                "This is"
            )
            #expect(try await handle.result() == "This is Bob of nobody")
        }
    }

    @Test func anUpdateStartsAWorkflowThatDoesNotRun() async throws {
        try await withWorker { queue in
            Cart.registered(on: queue)
        } _: { client, queue, _ in
            var options = WorkflowOptions(id: "cart-\(UUID().uuidString)")
            options.taskQueue = queue
            func add(_ item: String) async throws -> UpdatedWorkflow<[String], Int> {
                try await client.updateWithStart(Cart.type, Nothing(), options, update: Cart.add, item)
            }
            let first = try await add("tea")
            #expect(first.isStarted)
            #expect(try await first.update.result() == 1)
            let second = try await add("milk")
            #expect(!second.isStarted)
            #expect(try await second.update.result() == 2)
            let rejected = try await add("")
            await #expect(throws: UpdateFailedError.self) { try await rejected.update.result() }
            #expect(rejected.workflow.runID == first.workflow.runID)
            try await first.workflow.signal(Cart.close, Nothing())
            #expect(try await first.workflow.result() == ["tea", "milk"])
            options.reusePolicy = .rejectDuplicate
            do {
                _ = try await add("sugar")
                Issue.record("the workflow was started again")
            } catch let error as ClientError {
                #expect(error.code == .alreadyStarted)
                #expect(error.message.contains("already finished"))
            }
        }
    }
}
