import SagamoreAPI
import Testing

@testable import Sagamore
@testable import SagamoreTesting

/// Handlers of signals that wait.
@Suite struct SignalHandlerTests {
    private enum Parcels {
        static let deliver = Signal<String>("deliver")
        static let done = Signal<Nothing>("done")
        static let carry = Activity<String, String>("carry", .startToCloseTimeout(.seconds(1)))
    }

    private struct Depot: Workflow {
        struct State: WorkflowState {
            var delivered: [String] = []
            var isDone = false
        }

        static let type = WorkflowType<Nothing, [String]>("Depot", taskQueue: "test")
        static let handlers: [Handler<State>] = [
            .on(Parcels.done) { state, _ in state.isDone = true },
            .on(
                Parcels.deliver,
                run: { context, parcel in
                    if parcel == "bomb" { throw ApplicationError("a bomb", type: "Dangerous") }
                    if parcel == "bug" { throw Bug() }
                    if parcel == "next" { throw try ContinueAsNew(Depot.type, Nothing()) }
                    let place = try await context.execute(Parcels.carry, parcel)
                    context.update { $0.delivered.append("\(parcel) to \(place)") }
                }
            ),
        ]

        func run(_ context: WorkflowContext<State>, _ input: Nothing) async throws -> [String] {
            try await context.condition { $0.isDone }
            try await context.allHandlersFinished()
            return context.state.delivered
        }
    }

    private struct Bug: Error {}

    @Test(arguments: [false, true]) func aHandlerWaitsBesideTheCode(isForgotten: Bool) throws {
        let book = try HistoryBook(Depot.self, Nothing())
        // Before the code has begun.
        try book.signal("deliver", "a letter")
        #expect(try book.task() == ["schedule carry"])
        if isForgotten { book.forgetRun() }
        try book.signal("done", Nothing())
        #expect(try book.task() == [])
        try book.complete("carry", "Rome")
        #expect(try book.task() == ["complete"])
        #expect(try book.result(as: [String].self) == ["a letter to Rome"])
        try book.replay(with: Depot.self)
    }

    @Test func aHandlersFailureEndsTheWorkflow() throws {
        let book = try HistoryBook(Depot.self, Nothing())
        try book.task()
        try book.signal("deliver", "bomb")
        #expect(try book.task() == ["fail"])
        #expect((try book.failure() as? ApplicationError)?.type == "Dangerous")
        try book.replay(with: Depot.self)
    }

    @Test func aHandlerContinuesAsNew() throws {
        let book = try HistoryBook(Depot.self, Nothing())
        try book.signal("deliver", "next")
        #expect(try book.task() == ["continue as new"])
    }

    @Test func aHandlersBugFailsTheTask() throws {
        let book = try HistoryBook(Depot.self, Nothing())
        try book.task()
        try book.signal("deliver", "bug")
        #expect(throws: Bug.self) { try book.task() }
    }

    @Test func aHandlerThatWaitsEndsWithAnEvictedRun() throws {
        let book = try HistoryBook(Depot.self, Nothing())
        try book.signal("deliver", "a box")
        try book.task()
        #expect(book.run.evict())
    }
}
