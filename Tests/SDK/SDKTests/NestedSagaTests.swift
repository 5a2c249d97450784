import Testing

@testable import Sagamore
@testable import SagamoreTesting

/// Nested sagas, and what their bodies may wait for.
@Suite struct NestedSagaTests {
    @Test(arguments: [false, true]) func theOuterOneTellsWhatTheInnerOneCouldNotUndo(innerFails: Bool) throws {
        let book = try HistoryBook(Nested.self, Nothing())
        for step in ["car", "hotel"] {
            #expect(try book.task() == ["schedule \(step)"])
            try book.complete(step, step)
        }
        #expect(try book.task() == ["schedule flight"])
        try book.fail("flight", ApplicationError("full", type: "Full"))
        #expect(try book.task() == ["schedule undo_flight"])
        try book.complete("undo_flight", "")
        #expect(try book.task() == ["schedule undo_hotel"])
        if innerFails {
            try book.fail("undo_hotel", ApplicationError("stuck", type: "Stuck"))
        } else {
            try book.complete("undo_hotel", "")
        }
        #expect(try book.task() == ["schedule undo_car"])
        try book.complete("undo_car", "")
        #expect(try book.task() == ["fail"])
        let compensations: [SagaCompensation]
        if innerFails {
            let error = try #require(try book.failure() as? SagaCompensationFailedError)
            #expect(error.reason == "flight failed: full; not everything could be undone")
            #expect(error.cause is SagaCompensationFailedError)
            compensations = error.compensations
        } else {
            compensations = try #require(try book.failure() as? SagaCompensatedError).compensations
        }
        #expect(compensations.map(\.step) == ["flight", "hotel", "car"])
        #expect(compensations.map(\.status) == [.compensated, innerFails ? .failed : .compensated, .compensated])
    }

    @Test func aCancelledOneTellsWhatTheInnerOneUndid() throws {
        let book = try HistoryBook(Nested.self, Nothing())
        try book.task()
        try book.complete("car", "car")
        #expect(try book.task() == ["schedule hotel"])
        book.requestCancel()
        #expect(try book.task() == ["cancel activity"])
        try book.cancelled("hotel")
        #expect(try book.task() == ["schedule undo_hotel"])
        try book.fail("undo_hotel", ApplicationError("stuck", type: "Stuck"))
        #expect(try book.task() == ["schedule undo_car"])
        try book.complete("undo_car", "")
        #expect(try book.task() == ["fail"])
        let error = try #require(try book.failure() as? SagaCompensationFailedError)
        #expect(error.compensations.map(\.status) == [.failed, .compensated])
    }

    /// Whatever the body begins with: nothing of it is waited for.
    @Test func oneThatIsGivenUpBeforeItBeginsWaitsForNothing() throws {
        let book = try HistoryBook(GivenUp.self, Nothing())
        #expect(try book.task() == ["fail"])
        #expect(try #require(try book.failure() as? SagaCompensatedError).reason == "never")
    }

    /// The saga's watch does not count as something that the code waits for.
    @Test func aForeignWaitIsSeenThoughTheStateIsWatched() throws {
        let book = try HistoryBook(Sleeping.self, Nothing())
        let violation = #expect(throws: NondeterminismError.self) { try book.task() }
        #expect(violation?.code == .foreignWait)
    }
}

private func step(_ saga: Saga, _ name: String) async throws -> String {
    try await saga.step(TripWorkflow.activity(name), name, undo: TripWorkflow.activity("undo_\(name)"))
}

private struct Nested: Workflow {
    static let type: TestType<Nothing, String> = testType()
    func run(_ context: WorkflowContext<NoState>, _ input: Nothing) async throws -> String {
        try await Saga.run(context) { outer in
            let car = try await step(outer, "car")
            return car
                + (try await Saga.run(context) { inner in
                    try await step(inner, "hotel") + step(inner, "flight")
                })
        }
    }
}

private struct GivenUp: Workflow {
    struct State: WorkflowState { var isReady = false }
    static let type: TestType<Nothing, String> = testType()
    func run(_ context: WorkflowContext<State>, _ input: Nothing) async throws -> String {
        try await Saga.run(context, abortWhen: { _ in "never" }) { saga in
            try await context.condition { $0.isReady }
            return try await step(saga, "car")
        }
    }
}

private struct Sleeping: Workflow {
    static let type: TestType<Nothing, String> = testType()
    func run(_ context: WorkflowContext<NoState>, _ input: Nothing) async throws -> String {
        try await Saga.run(context, abortWhen: { _ in nil }) { _ in
            try await Task.sleep(for: .seconds(60))
            return ""
        }
    }
}
