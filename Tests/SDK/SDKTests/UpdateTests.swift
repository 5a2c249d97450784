import SagamoreAPI
import Testing

@testable import Sagamore
@testable import SagamoreTesting

@Suite struct UpdateTests {
    private enum Carts {
        static let add = Update<String, Int>("add")
        static let price = Update<String, String>("price")
        static let lookUp = Activity<String, String>("look_up", .startToCloseTimeout(.seconds(1)))
        static let done = Signal<Nothing>("done")
    }

    private struct Cart: Workflow {
        struct State: WorkflowState {
            var items: [String] = []
            var isDone = false
        }

        static let type = WorkflowType<Nothing, [String]>("Cart", taskQueue: "test")
        static let handlers: [Handler<State>] = [
            .on(Carts.done) { state, _ in state.isDone = true },
            .on(
                Carts.add,
                validate: { state, item in
                    if state.items.contains(item) { throw ApplicationError("known", type: "Known") }
                }
            ) { state, item in
                if item == "broken" { throw ApplicationError("broken", type: "Broken") }
                if item == "bug" { throw Bug() }
                state.items.append(item)
                return state.items.count
            },
            .on(Carts.price, run: { context, item in try await context.execute(Carts.lookUp, item) }),
        ]

        func run(_ context: WorkflowContext<State>, _ input: Nothing) async throws -> [String] {
            try await context.condition { $0.isDone }
            try await context.allHandlersFinished()
            return context.state.items
        }
    }

    private struct Bug: Error {}

    @Test func anUpdateChangesTheStateAndReturnsAValue() throws {
        let book = try HistoryBook(Cart.self, Nothing())
        try book.update("add", "early", id: "u1")
        #expect(try book.task() == ["u1/accept", "u1/complete"])
        let response = try #require(try book.messages(Response.self).first)
        #expect(response.meta?.updateID == "u1")
        guard case .success(let payloads) = response.outcome?.value else {
            throw HistoryBook.IllegalEventError(description: "no success")
        }
        #expect(try PayloadCoding.first(payloads, as: Int.self) == 1)
        book.forgetRun()
        try book.update("add", "late", id: "u2")
        #expect(try book.task() == ["u2/accept", "u2/complete"])
        try book.signal("done", Nothing())
        #expect(try book.task() == ["complete"])
        #expect(try book.result(as: [String].self) == ["early", "late"])
        try book.replay(with: Cart.self)
    }

    @Test func aRejectedUpdateLeavesNoTrace() throws {
        let book = try HistoryBook(Cart.self, Nothing())
        try book.update("add", "one", id: "u1")
        try book.task()
        for (name, value, type) in [("add", "one", "Known"), ("nothing", "", "UnknownUpdate")] {
            try book.update(name, value, id: "u2")
            try book.rejectedTask()
            #expect(book.lastCommands.isEmpty)
            let failure = try #require(try book.messages(Rejection.self).first?.failure)
            #expect((FailureCoding.error(failure) as? ApplicationError)?.type == type)
        }
        // The run stays in memory: the next task has only the events since the last one that counts.
        try book.signal("done", Nothing())
        #expect(try book.task() == ["complete"])
        #expect(try book.result(as: [String].self) == ["one"])
    }

    @Test func aHandlersFailureIsTheOutcome() throws {
        let book = try HistoryBook(Cart.self, Nothing())
        try book.update("add", "broken", id: "u1")
        #expect(try book.task() == ["u1/accept", "u1/complete"])
        guard case .failure(let failure) = try book.messages(Response.self).first?.outcome?.value else {
            throw HistoryBook.IllegalEventError(description: "no failure")
        }
        #expect((FailureCoding.error(failure) as? ApplicationError)?.type == "Broken")
    }

    @Test func aBugInAHandlerFailsTheTask() throws {
        let book = try HistoryBook(Cart.self, Nothing())
        try book.task()
        try book.update("add", "bug", id: "u1")
        #expect(throws: Bug.self) { try book.task() }
    }

    @Test(arguments: [false, true]) func anUpdateMayRunActivities(forgetsRun: Bool) throws {
        let book = try HistoryBook(Cart.self, Nothing())
        try book.task()
        try book.update("price", "tea", id: "u1")
        #expect(try book.task() == ["u1/accept", "schedule look_up"])
        if forgetsRun { book.forgetRun() }
        // The workflow waits for the update.
        try book.signal("done", Nothing())
        #expect(try book.task() == [])
        if forgetsRun { book.forgetRun() }
        try book.complete("look_up", "two euros")
        #expect(try book.task() == ["u1/complete", "complete"])
        try book.replay(with: Cart.self)
    }

    @Test func anEvictedRunEndsTheHandlersOfUpdates() throws {
        let book = try HistoryBook(Cart.self, Nothing())
        try book.update("price", "tea", id: "u1")
        try book.task()
        #expect(book.run.evict())
        #expect(book.run.core.takeMessages().isEmpty)
    }
}

@Suite struct ContinueAsNewTests {
    private struct Counting: Workflow {
        static let type = WorkflowType<Int, Int>("Counting", taskQueue: "counting")

        func run(_ context: WorkflowContext<NoState>, _ count: Int) async throws -> Int {
            if count == 3 { return count }
            throw try ContinueAsNew(Self.type, count + 1, runTimeout: .seconds(60))
        }
    }

    @Test func aRunContinuesAsNew() throws {
        let book = try HistoryBook(Counting.self, 1)
        #expect(try book.task() == ["continue as new"])
        guard case .continueAsNewWorkflowExecutionCommandAttributes(let next) = book.lastCommands[0].attributes else {
            throw HistoryBook.IllegalEventError(description: "no continue-as-new")
        }
        #expect(next.workflowType?.name == "Counting" && next.taskQueue?.name == "counting")
        #expect(try PayloadCoding.first(next.input, as: Int.self) == 2)
        #expect(next.workflowRunTimeout?.seconds == 60 && next.workflowTaskTimeout == nil)
        #expect(book.run.isOver)
        try book.replay(with: Counting.self)
        #expect(try HistoryBook(Counting.self, 3).task() == ["complete"])
    }
}
