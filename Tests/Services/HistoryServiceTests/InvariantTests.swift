import SagamoreAPI
import SagamoreEngine
import SagamoreServices
import Testing

@testable import SagamoreHistoryService

/// A broken invariant ends the process, in release builds too, because every later decision would be stored.
@Suite struct InvariantTests {
    private static func run(isStored: Bool) -> CachedRun {
        let key = WorkflowKey(namespace: 1, workflowID: "one")
        let execution = SagamoreEngine.Execution(key: key, runID: RunID(high: 0x7000, low: 1))
        let now = Instant(nanoseconds: 1)
        return CachedRun(execution, sequence: 0, startRequestID: "", isStored: isStored, at: now)
    }

    @Test func aRunLeavesMemoryOnlyWithAnAlarmThatBringsItBack() async {
        let loaded = Self.run(isStored: true)
        #expect(loaded.residence == .parking)
        loaded.alarmIsSet(isActive: true)
        #expect(loaded.residence == .active)
        loaded.alarmIsSet(isActive: false)
        loaded.leaveMemory()
        #expect(loaded.hasLeft && !loaded.residence.isInMemory)
        await #expect(processExitsWith: .failure) { Self.run(isStored: false).leaveMemory() }
        await #expect(processExitsWith: .failure) {
            let run = Self.run(isStored: true)
            run.uncommitted += 1
            run.leaveMemory()
        }
    }

    @Test func whatIsOutOfMemoryStaysOut() async {
        let dead = Self.run(isStored: false)
        dead.discard()
        dead.discard()
        #expect(dead.isDead)
        await #expect(processExitsWith: .failure) {
            let run = Self.run(isStored: true)
            run.discard()
            run.alarmIsSet(isActive: true)
        }
        await #expect(processExitsWith: .failure) {
            let run = Self.run(isStored: true)
            run.leaveMemory()
            run.discard()
        }
    }

    @Test func noMoreItemsEndThanBegan() async {
        await #expect(processExitsWith: .failure) { Self.run(isStored: true).uncommitted -= 1 }
    }

    @Test func aQueryThatIsOpenHasNoOutcome() async {
        await #expect(processExitsWith: .failure) {
            let query = PendingQuery(
                id: 1,
                key: WorkflowKey(namespace: 1, workflowID: "one"),
                runID: RunID(high: 0x7000, low: 1),
                query: WorkflowQuery(),
                deadline: .distantFuture,
                reply: Reply { _ in }
            )
            query.finish(.success(.answered(nil)))
        }
    }
}
