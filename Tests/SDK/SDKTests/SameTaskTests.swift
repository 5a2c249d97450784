import Testing

@testable import Sagamore
@testable import SagamoreTesting

/// One workflow task can deliver both the end of something and the reason to cancel it. There is nothing to cancel
/// then, and the server rejects commands for what has ended.
@Suite struct SameTaskTests {
    enum GivenUp: CaseIterable { case bySignal, byRequest }

    @Test(arguments: GivenUp.allCases, [false, true])
    func aStepThatEndedWhenItsSagaWasGivenUp(_ way: GivenUp, losesItsWorker: Bool) throws {
        let book = try HistoryBook(TripWorkflow.self, Trip())
        #expect(try book.task() == ["schedule car"])
        switch way {
        case .bySignal: try book.signal("give_up", "changed my mind")
        case .byRequest: book.requestCancel()
        }
        try book.complete("car", "car")
        if losesItsWorker { book.forgetRun() }
        #expect(try book.task() == ["schedule undo_car"])
        try book.complete("undo_car", "")
        #expect(try book.task() == [way == .bySignal ? "fail" : "cancel"])
        try book.replay(with: TripWorkflow.self)
    }

    /// Signals change the state before other events resume code, whatever the order in the history.
    @Test func aStepThatEndedBeforeTheSignal() throws {
        let book = try HistoryBook(TripWorkflow.self, Trip())
        #expect(try book.task() == ["schedule car"])
        try book.fail("car", ApplicationError("none left"))
        try book.signal("give_up", "changed my mind")
        #expect(try book.task() == ["schedule undo_car"])
        try book.complete("undo_car", "")
        #expect(try book.task() == ["fail"])
        #expect(try #require(try book.failure() as? SagaCompensatedError).reason == "changed my mind")
    }

    /// The next step begins and is withdrawn before the server hears of it: there is nothing to undo.
    @Test func aStepThatWasNeverSentIsNotUndone() throws {
        let book = try HistoryBook(TripWorkflow.self, Trip())
        #expect(try book.task() == ["schedule car"])
        try book.complete("car", "car")
        book.requestCancel()
        #expect(try book.task() == ["schedule undo_car"])
        try book.complete("undo_car", "")
        #expect(try book.task() == ["cancel"])
        #expect(try book.cancellation().decode([SagaCompensation].self).map(\.step) == ["car"])
    }

    @Test(arguments: [false, true]) func aConditionThatIsMetWhenItsTimeIsUp(firesFirst: Bool) throws {
        let book = try HistoryBook(Patient.self, Nothing())
        #expect(try book.task() == ["timer 2"])
        if firesFirst { book.fireTimer("2") }
        try book.signal("go", Nothing())
        if !firesFirst { book.fireTimer("2") }
        #expect(try book.task() == ["complete"])
        #expect(try book.result(as: Bool.self))
        try book.replay(with: Patient.self)
    }

    @Test func aTimerThatFiredWhenTheWorkflowWasCancelled() throws {
        let book = try HistoryBook(Patient.self, Nothing())
        try book.task()
        book.requestCancel()
        book.fireTimer("2")
        #expect(try book.task() == ["cancel"])
        try book.replay(with: Patient.self)
    }
}

private struct Patient: Workflow {
    struct State: WorkflowState { var mayGo = false }
    static let type: TestType<Nothing, Bool> = testType()
    static let handlers: [Handler<State>] = [.on(Signal<Nothing>("go")) { state, _ in state.mayGo = true }]
    func run(_ context: WorkflowContext<State>, _ input: Nothing) async throws -> Bool {
        try await context.condition(within: .seconds(10)) { $0.mayGo }
    }
}
