import SagamoreEngine
import SagamoreServices
import Testing

@testable import SagamoreMatchingService

/// What concerns more than one task queue.
@Suite struct MatchingStateTests {
    private static let noon = Instant(nanoseconds: 1_749_988_800_000_000_000)

    private func key(_ name: String) -> TaskQueueKey { TaskQueueKey(namespace: 1, name: name, kind: .workflow) }

    private func poll(
        _ state: inout MatchingState,
        _ name: String,
        connection: UInt64? = nil,
        deadline: Instant = .distantFuture
    ) -> Poll {
        Poll(
            handle: state.newHandle(key(name)),
            poller: PollerIdentity(identity: "worker", requestID: "", buildID: "", connectionID: connection),
            since: .distantPast,
            deadline: deadline,
            answer: .workflow(Reply { _ in })
        )
    }

    private func task(_ name: String) -> MatchingTask {
        MatchingTask(
            queue: key(name),
            key: WorkflowKey(namespace: 1, workflowID: "one"),
            runID: RunID(high: 1, low: 1),
            kind: .workflow(WorkflowTaskStamp(scheduledEventID: 1, attempt: 1), isSticky: true)
        )
    }

    private func abandoned(_ actions: [MatchAction]) -> Int {
        actions.count { if case .abandon = $0 { true } else { false } }
    }

    @Test func theNextWakeIsTheEarliestOfAllQueues() {
        var state = MatchingState()
        let late = poll(&state, "late", deadline: Self.noon + .seconds(60))
        let early = poll(&state, "early", deadline: Self.noon + .seconds(30))
        _ = state.poll(late, isSticky: false, at: Self.noon)
        _ = state.poll(early, isSticky: false, at: Self.noon)
        #expect(state.step(at: Self.noon).wakeAt == Self.noon + .seconds(30))
        let (actions, wakeAt) = state.step(at: Self.noon + .seconds(30))
        #expect(actions.count == 1)
        #expect(wakeAt == Self.noon + .seconds(60))
    }

    @Test func theEndOfAConnectionAbandonsTasksOnlyOfTheQueuesPolledOnIt() {
        var state = MatchingState()
        for (name, connection) in [("mine", 7), ("mine too", 7), ("yours", 8)] as [(String, UInt64)] {
            let poll = poll(&state, name, connection: connection)
            _ = state.poll(poll, isSticky: true, at: Self.noon)
            _ = state.cancel(poll.handle, at: Self.noon)
            #expect(state.offer(task(name), at: Self.noon).isEmpty)
        }
        #expect(abandoned(state.connectionEnded(7)) == 2)
        #expect(abandoned(state.connectionEnded(7)) == 0)
        #expect(abandoned(state.connectionEnded(8)) == 1)
    }

    @Test func aRemovedQueueLosesItsConnections() {
        var state = MatchingState()
        let first = poll(&state, "mine", connection: 7)
        _ = state.poll(first, isSticky: true, at: Self.noon)
        _ = state.cancel(first.handle, at: Self.noon)
        _ = state.step(at: Self.noon + .seconds(400))
        // The new queue of the same name is polled on another connection.
        let second = poll(&state, "mine", connection: 8)
        _ = state.poll(second, isSticky: true, at: Self.noon + .seconds(500))
        _ = state.cancel(second.handle, at: Self.noon + .seconds(500))
        #expect(state.offer(task("mine"), at: Self.noon + .seconds(500)).isEmpty)
        #expect(abandoned(state.connectionEnded(7)) == 0)
        #expect(abandoned(state.connectionEnded(8)) == 1)
    }
}
