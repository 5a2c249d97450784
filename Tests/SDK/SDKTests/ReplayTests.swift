import SagamoreAPI
import Testing

@testable import Sagamore
@testable import SagamoreTesting

@Suite struct ReplayTests {
    @Test func aRunGoesFromActivityToActivityAndCompletes() throws {
        let book = try HistoryBook(TwoSteps.self, "in")
        #expect(try book.task() == ["schedule work"])
        try book.complete("work", "between")
        #expect(try book.task() == ["schedule other"])
        try book.complete("other", "out")
        #expect(try book.task() == ["complete"])
        #expect(try book.result(as: String.self) == "out")
    }

    @Test(arguments: 0..<4) func aRunGoesOnAfterItsWorkerWasLost(at point: Int) throws {
        let book = try HistoryBook(TwoSteps.self, "in")
        if point == 0 { book.lostTask() }
        try book.task()
        if point == 1 { book.forgetRun() }
        try book.complete("work", "between")
        if point == 2 { book.lostTask() }
        try book.task()
        if point == 3 { book.forgetRun() }
        try book.complete("other", "out")
        #expect(try book.task() == ["complete"])
        #expect(try book.result(as: String.self) == "out")
    }

    @Test func sideBySideStepsAreScheduledInOneOrder() throws {
        let book = try HistoryBook(SideBySide.self, Nothing())
        #expect(try book.task() == ["schedule work", "schedule other"])
        try book.complete("other", "R")
        #expect(try book.task() == [])
        try book.complete("work", "L")
        #expect(try book.task() == ["schedule a", "schedule b", "schedule c"])
        book.forgetRun()
        for name in ["c", "a", "b"] { try book.complete(name, name) }
        #expect(try book.task() == ["complete"])
        #expect(try book.result(as: [String].self) == ["LR", "c", "a", "b"])
        try book.replay(with: SideBySide.self)
    }

    @Test func aSignalChangesTheStateAndAQueryReadsIt() throws {
        let book = try HistoryBook(Waiting.self, Nothing())
        try book.signal("add", "early")
        try book.task()
        try book.signal("add", "late")
        #expect(try book.task() == [])
        var query = WorkflowQuery()
        query.queryType = "names"
        #expect(try PayloadCoding.first(try book.run.answer(query).get(), as: [String].self) == ["early", "late"])
        try book.signal("done", Nothing())
        #expect(try book.task() == ["complete"])
        #expect(try book.result(as: [String].self) == ["early", "late"])
    }

    @Test func aSignalThatNobodyKnowsOrCanReadChangesNothing() throws {
        let book = try HistoryBook(Waiting.self, Nothing())
        try book.signal("unheard", 1)
        try book.signal("add", 5)
        try book.signal("add", "good")
        try book.signal("done", Nothing())
        #expect(try book.task() == ["complete"])
        #expect(try book.result(as: [String].self) == ["good"])
    }

    @Test func anUnknownQueryNamesThoseThatThereAre() throws {
        let book = try HistoryBook(Waiting.self, Nothing())
        try book.task()
        var query = WorkflowQuery()
        query.queryType = "nams"
        let error = #expect(throws: ApplicationError.self) { try book.run.answer(query).get() }
        #expect(error?.message.contains("known queries: names") == true)
    }

    @Test func otherCodeThanTheHistorysIsNoticedSideBySide() throws {
        let book = try HistoryBook(TwoSteps.self, "in")
        try book.task()
        try book.complete("work", "between")
        try book.task()
        try book.complete("other", "out")
        book.startTask()
        let violation = try #require(throws: NondeterminismError.self) { try book.replay(with: Swapped.self) }
        #expect(violation.code == .otherCommand)
        #expect(violation.eventID == 5)
        #expect(violation.expected == "activity 'work' with id 1")
        #expect(violation.found == "activity 'other' with id 1")
    }

    @Test func codeThatDoesLessThanTheHistoryIsNoticed() throws {
        let book = try HistoryBook(TwoSteps.self, "in")
        try book.task()
        try book.complete("work", "between")
        try book.task()
        book.startTask()
        let violation = try #require(throws: NondeterminismError.self) { try book.replay(with: OnlyFirst.self) }
        #expect(violation.code == .otherCommand)
        #expect(violation.eventID == 10)
        #expect(violation.found == "completing the workflow")
    }

    @Test func codeThatDoesMoreThanTheHistoryIsNoticed() throws {
        let book = try HistoryBook(TwoSteps.self, "in")
        try book.task()
        try book.complete("work", "between")
        book.startTask()
        let violation = try #require(throws: NondeterminismError.self) { try book.replay(with: Doubled.self) }
        #expect(violation.code == .surplusCommand)
        #expect(violation.found == "activity 'other' with id 2")
    }

    @Test func codeThatDoesNothingWhereTheHistoryGoesOnIsNoticed() throws {
        let book = try HistoryBook(TwoSteps.self, "in")
        try book.task()
        book.startTask()
        let violation = try #require(throws: NondeterminismError.self) { try book.replay(with: Waits.self) }
        #expect(violation.code == .missingCommand)
        #expect(violation.eventID == 5)
    }

    @Test func inputThatCantBeReadFailsTheWorkflowAndSaysWhy() throws {
        let book = try HistoryBook(Untyped.self, ["a": 1])
        book.startTask()
        let run = WorkflowRun(
            WorkflowInfo(workflowID: "w", runID: "r", type: "Test", taskQueue: "test"),
            TypedRunCode<TwoSteps>(HandlerTable(TwoSteps.handlers))
        )
        guard case .commands(let commands) = run.handle(book.events) else {
            Issue.record("the task failed")
            return
        }
        try book.write(commands)
        let error = try #require(try book.failure() as? ApplicationError)
        #expect(error.type == "InvalidInput")
        #expect(error.isNonRetryable)
        #expect(error.message == "workflow 'Test' cannot decode its input: expected String: the value is not String")
    }

    @Test func anErrorOfNoKnownKindFailsTheTaskOnly() throws {
        let book = try HistoryBook(Broken.self, Nothing())
        book.startTask()
        guard case .failed(let failure) = book.run.handle(book.events) else {
            Issue.record("the task did not fail")
            return
        }
        #expect(failure.cause == .workflowWorkerUnhandledFailure)
        #expect(failure.error is Broken.Defect)
    }

    @Test func timeRandomNumbersAndIdsAreTheSameInReplay() throws {
        let book = try HistoryBook(Draws.self, Nothing(), runID: "run-7")
        try book.task()
        book.fireTimer("1")
        try book.task()
        let first = try book.result(as: [String].self)
        let again = try HistoryBook(Draws.self, Nothing(), runID: "run-7")
        try again.task()
        again.forgetRun()
        again.fireTimer("1")
        try again.task()
        #expect(try again.result(as: [String].self) == first)
        let elsewhere = try HistoryBook(Draws.self, Nothing(), runID: "run-8")
        try elsewhere.task()
        elsewhere.fireTimer("1")
        try elsewhere.task()
        #expect(try elsewhere.result(as: [String].self) != first)
        // Histories contain these values, so they must never change.
        #expect(first == ["1000002.0", "89", "fe60ce77-3544-47d1-b022-91ee0354230d", "1000007.0"])
    }
}

private struct Swapped: Workflow {
    static let type: TestType<String, String> = testType()
    func run(_ context: WorkflowContext<NoState>, _ input: String) async throws -> String {
        try await context.execute(work, try await context.execute(other, input))
    }
}

private struct OnlyFirst: Workflow {
    static let type: TestType<String, String> = testType()
    func run(_ context: WorkflowContext<NoState>, _ input: String) async throws -> String {
        try await context.execute(work, input)
    }
}

private struct Doubled: Workflow {
    static let type: TestType<String, String> = testType()
    func run(_ context: WorkflowContext<NoState>, _ input: String) async throws -> String {
        async let second = context.execute(work, input)
        async let third = context.execute(other, input)
        return try await second + (try await third)
    }
}

private struct Waits: Workflow {
    static let type: TestType<String, String> = testType()
    func run(_ context: WorkflowContext<NoState>, _ input: String) async throws -> String {
        try await context.condition { _ in false }
        return ""
    }
}

private struct Untyped: Workflow {
    static let type: TestType<[String: Int], String> = testType()
    func run(_ context: WorkflowContext<NoState>, _ input: [String: Int]) async throws -> String { "" }
}

private struct Broken: Workflow {
    struct Defect: Error {}
    static let type: TestType<Nothing, String> = testType()
    func run(_ context: WorkflowContext<NoState>, _ input: Nothing) async throws -> String { throw Defect() }
}

private struct Draws: Workflow {
    static let type: TestType<Nothing, [String]> = testType()
    func run(_ context: WorkflowContext<NoState>, _ input: Nothing) async throws -> [String] {
        var generator = context.makeRandomNumberGenerator()
        var values = ["\(context.now.timeIntervalSince1970)", "\(Int.random(in: 0..<100, using: &generator))"]
        values.append(context.makeUUID().uuidString.lowercased())
        try await context.sleep(for: .seconds(1))
        values.append("\(context.now.timeIntervalSince1970)")
        return values
    }
}
