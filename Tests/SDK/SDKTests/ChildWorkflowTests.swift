import SagamoreAPI
import Testing

@testable import Sagamore
@testable import SagamoreTesting

@Suite struct ChildWorkflowTests {
    /// Runs one child after the other, and a signal between them.
    private struct Parent: Workflow {
        static let type = WorkflowType<String, String>("Parent", taskQueue: "test")

        func run(_ context: WorkflowContext<NoState>, _ input: String) async throws -> String {
            let first = try await context.start(child: Children.child, input, ChildWorkflowOptions(id: "first"))
            try await first.signal(Children.poke, "go")
            let between = try await first.result()
            return try await context.execute(child: Children.child, between, ChildWorkflowOptions(id: "second"))
        }
    }

    private enum Children {
        static let child = WorkflowType<String, String>("Child", taskQueue: "children")
        static let poke = Signal<String>("poke")
        static let undo = Activity<String, Nothing>("undo", .startToCloseTimeout(.seconds(1)))
        static let work = Activity<String, String>("work", .startToCloseTimeout(.seconds(1)))
    }

    @Test(arguments: 0..<5) func aParentGoesFromChildToChild(forgetsRunAt point: Int) throws {
        let book = try HistoryBook(Parent.self, "in")
        #expect(try book.task() == ["child first"])
        if point == 0 { book.forgetRun() }
        try book.childStarted("first")
        #expect(try book.task() == ["signal poke to first"])
        if point == 1 { book.forgetRun() }
        try book.signaled("poke")
        #expect(try book.task() == [])
        if point == 2 { book.forgetRun() }
        try book.childCompleted("first", "between")
        #expect(try book.task() == ["child second"])
        guard case .startChildWorkflowExecutionCommandAttributes(let start) = book.lastCommands[0].attributes else {
            throw HistoryBook.IllegalEventError(description: "no start")
        }
        #expect(start.taskQueue?.name == "children" && start.parentClosePolicy == .terminate)
        if point == 3 { book.forgetRun() }
        try book.childStarted("second")
        #expect(try book.task() == [])
        if point == 4 { book.forgetRun() }
        try book.childCompleted("second", "out")
        #expect(try book.task() == ["complete"])
        #expect(try book.result(as: String.self) == "out")
        try book.replay(with: Parent.self)
    }

    /// A child's end may come with its start.
    @Test func aChildStartsAndEndsWithinOneTask() throws {
        let book = try HistoryBook(Single.self, "in")
        try book.task()
        try book.childStarted("only")
        try book.childCompleted("only", "out")
        #expect(try book.task() == ["complete"])
        #expect(try book.result(as: String.self) == "out")
    }

    @Test func aFailedChildFailsItsParentWithItsCause() throws {
        let book = try HistoryBook(Single.self, "in")
        try book.task()
        try book.childStarted("only")
        try book.childFailed("only", ApplicationError("no seats", type: "SoldOut"))
        #expect(try book.task() == ["fail"])
        let failure = try #require(try book.failure() as? ChildWorkflowError)
        #expect(failure.workflow == "Child" && failure.workflowID == "only" && failure.runID == "run-of-only")
        #expect((failure.cause as? ApplicationError)?.type == "SoldOut")
    }

    @Test func aRefusedStartIsAFailureWithoutRun() throws {
        let book = try HistoryBook(Single.self, "in")
        try book.task()
        try book.childRefused("only")
        #expect(try book.task() == ["fail"])
        let failure = try #require(try book.failure() as? ChildWorkflowError)
        #expect(failure.runID.isEmpty && (failure.cause as? ApplicationError)?.type == "ServerError")
    }

    @Test func aSignalToNobodyFails() throws {
        let book = try HistoryBook(Poking.self, "nobody")
        #expect(try book.task() == ["signal poke to nobody"])
        try book.signalRefused("poke")
        #expect(try book.task() == ["complete"])
        #expect(try book.result(as: String.self) == "workflow 'nobody' does not exist or has ended")
    }

    /// The default waits for the child's end.
    @Test(arguments: [false, true]) func aCancelledParentCancelsItsChild(beforeTheStart: Bool) throws {
        let book = try HistoryBook(Single.self, "in")
        try book.task()
        if !beforeTheStart {
            try book.childStarted("only")
            try book.task()
        }
        book.requestCancel()
        if beforeTheStart {
            #expect(try book.task() == [])
            try book.childStarted("only")
        }
        #expect(try book.task() == ["cancel workflow only"])
        book.forgetRun()
        try book.childCancelled("only")
        #expect(try book.task() == ["cancel"])
    }

    @Test func otherChildIdsThanTheHistorysAreNoticed() throws {
        let book = try HistoryBook(Parent.self, "in")
        try book.task()
        let violation = try #require(throws: NondeterminismError.self) { try book.replay(with: Single.self) }
        #expect(violation.code == .otherCommand)
    }

    /// The ids that nobody chose are the same in every replay.
    @Test func namelessChildrenKeepTheirIDs() throws {
        let book = try HistoryBook(Nameless.self, "in")
        let first = try book.task()
        try book.replay(with: Nameless.self)
        #expect(first.count == 2 && first[0] != first[1])
    }

    // MARK: Sagas

    @Test func aSagaUndoesAChild() throws {
        let book = try HistoryBook(ChildSaga.self, "in")
        #expect(try book.task() == ["child step-1"])
        try book.childStarted("step-1")
        try book.childCompleted("step-1", "car")
        #expect(try book.task() == ["schedule work"])
        try book.fail("work", ApplicationError("no hotel", type: "SoldOut"))
        for _ in 0..<2 {
            #expect(try book.task() == ["schedule undo"])
            book.forgetRun()
            try book.complete("undo", Nothing())
        }
        #expect(try book.task() == ["fail"])
        let failure = try #require(try book.failure() as? SagaCompensatedError)
        #expect(failure.compensations.map(\.step) == ["work", "Child"])
        #expect(failure.compensations.map(\.compensation) == ["undo", "undo"])
    }

    @Test func aSagaDoesNotUndoAChildThatNeverStarted() throws {
        let book = try HistoryBook(ChildSaga.self, "in")
        try book.task()
        try book.childRefused("step-1")
        #expect(try book.task() == ["fail"])
        #expect(try #require(try book.failure() as? SagaCompensatedError).compensations == [])
    }

    private struct Single: Workflow {
        static let type = WorkflowType<String, String>("Single", taskQueue: "test")

        func run(_ context: WorkflowContext<NoState>, _ input: String) async throws -> String {
            try await context.execute(child: Children.child, input, ChildWorkflowOptions(id: "only"))
        }
    }

    private struct Nameless: Workflow {
        static let type = WorkflowType<String, String>("Nameless", taskQueue: "test")

        func run(_ context: WorkflowContext<NoState>, _ input: String) async throws -> String {
            async let one = context.execute(child: Children.child, input)
            async let two = context.execute(child: Children.child, input)
            return try await one + two
        }
    }

    private struct Poking: Workflow {
        static let type = WorkflowType<String, String>("Poking", taskQueue: "test")

        func run(_ context: WorkflowContext<NoState>, _ id: String) async throws -> String {
            do {
                try await context.external(id).signal(Children.poke, "hello")
                return "signalled"
            } catch let failure as ExternalWorkflowError {
                return failure.description
            }
        }
    }

    private struct ChildSaga: Workflow {
        static let type = WorkflowType<String, String>("ChildSaga", taskQueue: "test")

        func run(_ context: WorkflowContext<NoState>, _ input: String) async throws -> String {
            try await Saga.run(context) { saga in
                let car = try await saga.step(
                    child: Children.child,
                    input,
                    ChildWorkflowOptions(id: "step-1"),
                    undo: Children.undo,
                    undoInput: input
                )
                return try await saga.step(Children.work, car, undo: Children.undo)
            }
        }
    }
}
