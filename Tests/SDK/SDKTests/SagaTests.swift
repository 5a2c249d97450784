import Testing

@testable import Sagamore
@testable import SagamoreTesting

@Suite struct SagaTests {
    private static let steps = ["car", "hotel", "flight"]

    @Test func aSagaThatSucceedsUndoesNothing() throws {
        let book = try HistoryBook(TripWorkflow.self, Trip())
        for step in Self.steps {
            #expect(try book.task() == ["schedule \(step)"])
            try book.complete(step, step)
        }
        #expect(try book.task() == ["complete"])
        #expect(try book.result(as: String.self) == "carhotelflight")
    }

    @Test(arguments: 0..<3, [false, true])
    func aStepThatFailsUndoesAllThatWasTried(failing: Int, losesItsWorker: Bool) throws {
        let book = try HistoryBook(TripWorkflow.self, Trip())
        try goTo(failing, book)
        try book.fail(Self.steps[failing], ApplicationError("no such thing", type: "Invalid", isNonRetryable: true))
        try rollBack(book, from: failing, losesItsWorker: losesItsWorker)
        let error = try #require(try book.failure() as? SagaCompensatedError)
        #expect(error.reason == "\(Self.steps[failing]) failed: no such thing")
        #expect(error.compensations.map(\.compensation) == undos(from: failing))
        #expect(error.compensations.allSatisfy { $0.status == .compensated && $0.failure == nil })
        #expect(((error.cause as? ActivityError)?.cause as? ApplicationError)?.type == "Invalid")
    }

    @Test(arguments: 0..<3) func anUndoThatFailsDoesNotStopTheOthers(failing: Int) throws {
        let book = try HistoryBook(TripWorkflow.self, Trip())
        try goTo(2, book)
        try book.fail("flight", ApplicationError("full"))
        for (index, undo) in undos(from: 2).enumerated() {
            #expect(try book.task() == ["schedule \(undo)"])
            if index == failing {
                try book.fail(undo, ApplicationError("stuck", type: "Stuck"))
            } else {
                try book.complete(undo, "")
            }
        }
        #expect(try book.task() == ["fail"])
        let error = try #require(try book.failure() as? SagaCompensationFailedError)
        for (index, compensation) in error.compensations.enumerated() {
            #expect(compensation.status == (index == failing ? .failed : .compensated))
            #expect(compensation.failure?.type == (index == failing ? "Stuck" : nil))
            #expect(compensation.failure?.message == (index == failing ? "stuck" : nil))
        }
    }

    @Test(arguments: 0..<3, [false, true])
    func aSignalThatGivesUpUndoesAllThatWasTried(point: Int, stepSucceeds: Bool) throws {
        let book = try HistoryBook(TripWorkflow.self, Trip())
        try goTo(point, book)
        try book.signal("give_up", "changed my mind")
        // The step is cancelled and awaited: its undo must not overtake it.
        #expect(try book.task() == ["cancel activity"])
        try endCancelled(Self.steps[point], stepSucceeds, book)
        try rollBack(book, from: point)
        let error = try #require(try book.failure() as? SagaCompensatedError)
        #expect(error.reason == "changed my mind")
        #expect(error.compensations.map(\.compensation) == undos(from: point))
        #expect(error.cause == nil)
    }

    @Test(arguments: 0..<3, [false, true])
    func aCancelledWorkflowUndoesAllThatWasTriedAndEndsCancelled(point: Int, stepSucceeds: Bool) throws {
        let book = try HistoryBook(TripWorkflow.self, Trip())
        try goTo(point, book)
        book.requestCancel()
        #expect(try book.task() == ["cancel activity"])
        try endCancelled(Self.steps[point], stepSucceeds, book)
        try rollBack(book, from: point, ending: "cancel")
        let compensations = try book.cancellation().decode([SagaCompensation].self)
        #expect(compensations.map(\.compensation) == undos(from: point))
    }

    @Test func nothingInterruptsTheUndos() throws {
        let book = try HistoryBook(TripWorkflow.self, Trip())
        try goTo(2, book)
        try book.fail("flight", ApplicationError("full"))
        #expect(try book.task() == ["schedule undo_flight"])
        book.requestCancel()
        try book.signal("give_up", "too late")
        #expect(try book.task() == [])
        try book.complete("undo_flight", "")
        #expect(try book.task() == ["schedule undo_hotel"])
        try book.complete("undo_hotel", "")
        #expect(try book.task() == ["schedule undo_car"])
        try book.complete("undo_car", "")
        #expect(try book.task() == ["fail"])
        #expect(try book.failure() is SagaCompensatedError)
    }

    @Test func stepsSideBySideAreUndoneInReverseOrderOfTheirStart() throws {
        let book = try HistoryBook(TripWorkflow.self, Trip(isParallel: true))
        try goTo(0, book)
        try book.complete("car", "")
        #expect(try book.task() == ["schedule hotel", "schedule flight"])
        try book.fail("flight", ApplicationError("full"))
        // The other step is not cancelled when its sibling fails, and is awaited.
        #expect(try book.task() == [])
        try book.complete("hotel", "")
        try rollBack(book, from: 2)
        #expect(try book.failure() is SagaCompensatedError)
    }

    @Test func aSignalBeforeTheFirstTaskGivesUpBeforeAnythingIsTried() throws {
        let book = try HistoryBook(TripWorkflow.self, Trip())
        try book.signal("give_up", "never mind")
        #expect(try book.task() == ["fail"])
        let error = try #require(try book.failure() as? SagaCompensatedError)
        #expect(error.compensations == [])
    }

    private func undos(from step: Int) -> [String] { Self.steps[...step].reversed().map { "undo_\($0)" } }

    private func goTo(_ point: Int, _ book: HistoryBook) throws {
        for (index, step) in Self.steps[...point].enumerated() {
            #expect(try book.task() == ["schedule \(step)"])
            if index < point { try book.complete(step, step) }
        }
    }

    private func endCancelled(_ step: String, _ succeeds: Bool, _ book: HistoryBook) throws {
        if succeeds { try book.complete(step, step) } else { try book.cancelled(step) }
    }

    private func rollBack(
        _ book: HistoryBook,
        from step: Int,
        losesItsWorker: Bool = false,
        ending: String = "fail"
    ) throws {
        for undo in undos(from: step) {
            #expect(try book.task() == ["schedule \(undo)"])
            if losesItsWorker { book.forgetRun() }
            try book.complete(undo, "")
        }
        #expect(try book.task() == [ending])
    }
}
