import SagamoreAPI
import Synchronization
import Testing

@testable import Sagamore
@testable import SagamoreTesting

@Suite struct CoroutineTests {
    @Test func aTaskOfItsOwnFailsTheWorkflowTask() throws {
        #expect(try violation(Escapes<TaskEscape>.self).code == .escapedTask)
        #expect(try violation(Escapes<DetachedEscape>.self).code == .escapedTask)
    }

    @Test func waitingForSomethingForeignFailsTheWorkflowTask() throws {
        #expect(try violation(Escapes<SleepEscape>.self).code == .foreignWait)
        #expect(try violation(Escapes<MainActorEscape>.self).code == .foreignWait)
    }

    @Test func beingResumedBySomethingForeignFailsTheNextTask() throws {
        let book = try HistoryBook(Escapes<HiddenWaitEscape>.self, Nothing())
        try book.task()
        #expect(!book.run.core.executor.hasForeignJobs)
        // The branch is resumed by a foreign thread, so its job is kept separately.
        let branch = try #require(HiddenWaitEscape.branch.withLock { $0 })
        branch.resume()
        #expect(book.run.core.executor.hasForeignJobs)
        try book.complete("work", "done")
        let error = #expect(throws: NondeterminismError.self) { try book.task() }
        #expect(error?.code == .otherThread)
    }

    @Test func yieldingAndActorsStayOnTheExecutor() throws {
        let book = try HistoryBook(Escapes<Allowed>.self, Nothing())
        #expect(try book.task() == ["complete"])
    }

    @Test func anEvictedRunUnwindsAndDoesNothingMore() throws {
        Unwinding.log.withLock { $0 = [] }
        let book = try HistoryBook(Unwinding.self, Nothing())
        try book.task()
        #expect(book.run.evict())
        #expect(Unwinding.log.withLock { $0 } == ["sees Evicted", "next Evicted", "left"])
    }

    @Test func codeThatIgnoresEverythingIsGivenUp() throws {
        let book = try HistoryBook(Stubborn.self, Nothing())
        try book.task()
        #expect(!book.run.evict())
        #expect(book.run.core.isGivenUp)
        #expect(book.run.core.refusals == RunCore.mostRefusals + RunCore.refusalsForEachWait + 1)
    }

    @Test func sagasDontUndoAnythingWhenTheirRunIsEvicted() throws {
        let book = try HistoryBook(TripWorkflow.self, Trip())
        try book.task()
        #expect(book.run.evict())
        #expect(book.run.core.ledger.takeUnsentNames() == [])
    }

    private func violation<Code: Workflow>(_ type: Code.Type) throws -> NondeterminismError
    where Code.Input == Nothing {
        let book = try HistoryBook(type, Nothing())
        let error = #expect(throws: NondeterminismError.self) { try book.task() }
        return try #require(error)
    }
}

extension CommandLedger {
    fileprivate mutating func takeUnsentNames() -> [String] { takeUnsent().map(HistoryBook.describe) }
}

private protocol Escape {
    static func escape(_ context: WorkflowContext<NoState>) async throws
}

private struct Escapes<Way: Escape>: Workflow {
    static var type: TestType<Nothing, Nothing> { testType() }
    func run(_ context: WorkflowContext<NoState>, _ input: Nothing) async throws -> Nothing {
        try await Way.escape(context)
        return Nothing()
    }
}

private enum TaskEscape: Escape {
    static func escape(_ context: WorkflowContext<NoState>) async throws {
        Task {}
        try await context.sleep(for: .seconds(1))
    }
}

private enum DetachedEscape: Escape {
    static func escape(_ context: WorkflowContext<NoState>) async throws { Task.detached {} }
}

private enum SleepEscape: Escape {
    static func escape(_ context: WorkflowContext<NoState>) async throws { try await Task.sleep(for: .seconds(60)) }
}

private enum MainActorEscape: Escape {
    static func escape(_ context: WorkflowContext<NoState>) async throws { await onMain() }
    @MainActor static func onMain() {}
}

private enum HiddenWaitEscape: Escape {
    static let branch = Mutex<CheckedContinuation<Void, Never>?>(nil)

    static func escape(_ context: WorkflowContext<NoState>) async throws {
        async let resumed: Void = withCheckedContinuation { branch in Self.branch.withLock { $0 = branch } }
        _ = try await context.execute(work, "")
        _ = try await context.execute(other, "")
        await resumed
    }
}

private actor Counter {
    var count = 0
    func increment() { count += 1 }
}

private enum Allowed: Escape {
    static func escape(_ context: WorkflowContext<NoState>) async throws {
        await Task.yield()
        let counter = Counter()
        await counter.increment()
        async let one: Void = counter.increment()
        await one
    }
}

private struct Unwinding: Workflow {
    static let log = Mutex<[String]>([])
    static let type: TestType<Nothing, Nothing> = testType()
    func run(_ context: WorkflowContext<NoState>, _ input: Nothing) async throws -> Nothing {
        defer { Self.log.withLock { $0.append("left") } }
        do {
            _ = try await context.execute(work, "")
        } catch {
            Self.log.withLock { $0.append("sees \(Swift.type(of: error))") }
        }
        do {
            _ = try await context.sleep(for: .seconds(1))
        } catch {
            Self.log.withLock { $0.append("next \(Swift.type(of: error))") }
        }
        return Nothing()
    }
}

private struct Stubborn: Workflow {
    static let type: TestType<Nothing, Nothing> = testType()
    func run(_ context: WorkflowContext<NoState>, _ input: Nothing) async throws -> Nothing {
        while true { try? await context.sleep(for: .seconds(1)) }
    }
}
