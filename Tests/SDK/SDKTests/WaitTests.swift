import Testing

@testable import Sagamore
@testable import SagamoreTesting

@Suite struct WaitTests {
    @Test func aConditionWithALimitTakesItsTimerBack() throws {
        let book = try HistoryBook(Limited.self, Nothing())
        #expect(try book.task() == ["timer 2"])
        try book.signal("go", Nothing())
        #expect(try book.task() == ["cancel timer 2", "complete"])
        #expect(try book.result(as: Bool.self))
    }

    @Test func aConditionWithALimitSaysWhenTheTimeWasUp() throws {
        let book = try HistoryBook(Limited.self, Nothing())
        try book.task()
        book.forgetRun()
        book.fireTimer("2")
        #expect(try book.task() == ["complete"])
        #expect(try book.result(as: Bool.self) == false)
    }

    @Test func aCancelledWorkflowEndsCancelledAndItsTimerIsTakenBack() throws {
        let book = try HistoryBook(Limited.self, Nothing())
        try book.task()
        book.requestCancel()
        #expect(try book.task() == ["cancel timer 2", "cancel"])
    }

    @Test func aShieldLetsCodeFinishWhatACancellationInterrupted() throws {
        let book = try HistoryBook(Shielded.self, Nothing())
        #expect(try book.task() == ["schedule work"])
        book.requestCancel()
        #expect(try book.task() == ["cancel activity", "schedule other"])
        try book.complete("other", "put in order")
        #expect(try book.task() == ["cancel"])
    }
}

private struct Limited: Workflow {
    struct State: WorkflowState { var mayGo = false }
    static let type: TestType<Nothing, Bool> = testType()
    static let handlers: [Handler<State>] = [.on(Signal<Nothing>("go")) { state, _ in state.mayGo = true }]
    func run(_ context: WorkflowContext<State>, _ input: Nothing) async throws -> Bool {
        try await context.condition(within: .seconds(10)) { $0.mayGo }
    }
}

private struct Shielded: Workflow {
    static let type: TestType<Nothing, Nothing> = testType()
    func run(_ context: WorkflowContext<NoState>, _ input: Nothing) async throws -> Nothing {
        do {
            _ = try await context.execute(work, "")
        } catch {
            _ = try await context.withCancellationShield { try await context.execute(other, "") }
            throw error
        }
        return Nothing()
    }
}
