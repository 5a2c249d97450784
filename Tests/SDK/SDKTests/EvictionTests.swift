import Testing

@testable import Sagamore
@testable import SagamoreTesting

/// Eviction of runs.
@Suite struct EvictionTests {
    /// The code behind each wait may wait again in its cleanup. That must not count as code that never ends.
    @Test func manyWaitsSideBySideEnd() throws {
        let book = try HistoryBook(Many.self, 300)
        #expect(try book.task().count == 300)
        #expect(book.run.evict())
    }

    @Test func codeThatGoesOnForEverIsLeftHanging() throws {
        let book = try HistoryBook(Stubborn.self, Nothing())
        try book.task()
        #expect(!book.run.evict())
    }

    /// A query may go to a worker without the run, which then has seen more than the run's last task.
    @Test func whatWasRebuiltForAQueryGoesOn() throws {
        let book = try HistoryBook(TwoSteps.self, "in")
        #expect(try book.task() == ["schedule work"])
        try book.rebuildForQuery()
        try book.complete("work", "between")
        #expect(try book.task() == ["schedule other"])
        try book.complete("other", "out")
        #expect(try book.task() == ["complete"])
    }

    @Test func theStateMayBeReadWhileItIsChanged() throws {
        let book = try HistoryBook(Doubling.self, 3)
        #expect(try book.task() == ["complete"])
        #expect(try book.result(as: [Int].self) == [1, 2, 4])
    }
}

private struct Many: Workflow {
    static let type: TestType<Int, Nothing> = testType()
    func run(_ context: WorkflowContext<NoState>, _ count: Int) async throws -> Nothing {
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<count {
                group.addTask {
                    _ = try? await context.execute(work, "")
                    // Like cleanup code.
                    _ = try? await context.execute(other, "")
                    try? await context.sleep(for: .seconds(1))
                }
            }
        }
        try await context.sleep(for: .seconds(1))
        return Nothing()
    }
}

private struct Stubborn: Workflow {
    static let type: TestType<Nothing, Nothing> = testType()
    func run(_ context: WorkflowContext<NoState>, _ input: Nothing) async throws -> Nothing {
        while true { try? await context.sleep(for: .seconds(1)) }
    }
}

private struct Doubling: Workflow {
    struct State: WorkflowState { var values: [Int] = [] }
    static let type: TestType<Int, [Int]> = testType()
    func run(_ context: WorkflowContext<State>, _ count: Int) async throws -> [Int] {
        for _ in 0..<count {
            context.update { $0.values.append((context.state.values.last ?? 0) * 2) }
            if context.state.values == [0] { context.state.values = [1] }
        }
        return context.state.values
    }
}
