import SagamoreAPI
import SagamoreEngine
import SagamoreEngineTestSupport
import SagamorePersistence
import SagamoreServices
import SagamoreThreads
import Testing

@testable import SagamoreHistoryService

/// What a shard's lock guards.
@Suite struct ShardStateTests {
    private let key = WorkflowKey(namespace: 1, workflowID: "one")
    private let now = Instant(nanoseconds: 1_000_000_000)

    private func state() -> ShardState {
        ShardState(grace: .zero, random: RandomSource(seed: (1, 2, 3, 4)))
    }

    /// A run whose first workflow task is due after a delay.
    private func run(_ number: UInt64, delay: Interval) throws -> CachedRun {
        let request = try Samples.start { $0.workflowStartDelay = delay.duration }
        let execution = SagamoreEngine.Execution(key: key, runID: RunID(high: 1, low: number))
        let decision = execution.decide(request, at: now)
        let run = CachedRun(execution, sequence: 0, startRequestID: "", isStored: false, at: now)
        _ = run.apply(decision.entries)
        return run
    }

    @Test func aDroppedShardIsEmptyAndRefusesAllThatWait() throws {
        let refused = Locked<[String]>([])
        @Sendable func note(_ name: String) { refused.withLock { $0.append(name) } }
        var state = state()
        let context = state.runs.context(key)
        _ = context.state.wait(LoadWaiter(commandID: "", proceed: { _, _, _ in }, refuse: { _ in note("request") }))
        state.runs.wait(
            HistoryWaiter(
                runID: RunID(high: 1, low: 1),
                afterEventID: 0,
                onlyCloseEvent: false,
                deadline: .distantFuture,
                notify: { _ in note("notified") },
                expire: { note("follower") }
            ),
            in: context
        )
        let query = PendingQuery(
            id: 1,
            key: key,
            runID: RunID(high: 1, low: 1),
            query: WorkflowQuery(),
            deadline: .distantFuture,
            reply: Reply { _ in note("query") }
        )
        state.carryOut(state.queries.asked(query, .workflowTask))
        #expect(state.arm(try run(1, delay: .seconds(5))) != nil)
        let command = LookUp(key: key, commandID: "command")
        state.recentCommands.insert(command)
        state.backlogRows = .some
        state.deferred.retryLater { note("retried") }
        let item = LaneItem(context: nil, run: nil)
        item.refuse = { _ in note("item") }

        state.drop(.fenced, refusing: [item])
        #expect(refused.withLock { $0 }.isEmpty, "nothing is called under the lock")
        state.deferred.take().carryOut { nil }
        #expect(refused.withLock { $0 } == ["request", "follower", "query", "item"])
        #expect(state.ownership.state == .dropped)
        #expect(state.runs.contexts.isEmpty && state.runs.waitedFor.isEmpty)
        #expect(state.queries.isEmpty && state.timers.count == 0 && state.deferred.retryCount == 0)
        #expect(!state.recentCommands.contains(command))
        #expect(state.backlogRows == .unknown)
    }

    @Test func onlyTheEarliestDeadlineOfTheShardWakesTheTimer() throws {
        var state = state()
        let second = try run(2, delay: .seconds(20))
        #expect(state.arm(second) == now + .seconds(20))
        #expect(state.arm(second) == nil, "it is armed already")
        #expect(state.arm(try run(3, delay: .seconds(30))) == nil)
        #expect(state.arm(try run(1, delay: .seconds(10))) == now + .seconds(10))
        #expect(state.timers.count == 3)
    }

    @Test func timersOfRunsThatHaveLeftMemoryAreRemoved() throws {
        var state = state()
        let run = try run(1, delay: .seconds(10))
        let context = state.runs.context(key)
        context.state.start(run)
        _ = state.arm(run)
        _ = state.arm(try self.run(2, delay: .seconds(5)))
        state.compactTimers()
        #expect(state.timers.count == 1 && state.timers.earliest == now + .seconds(10))
    }
}
