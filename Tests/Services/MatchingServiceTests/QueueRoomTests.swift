import SagamoreEngine
import SagamoreEngineTestSupport
import SagamoreServices
import Testing

@testable import SagamoreMatchingService

/// What a task queue holds in memory, by the size of the runs whose tasks wait.
@Suite struct QueueRoomTests {
    private static let noon = Instant(nanoseconds: 1_749_988_800_000_000_000)
    private static let queue = TaskQueueKey(namespace: 1, name: "travel", kind: .activity)

    private static func task(_ number: Int64, bytes: Int, on queue: TaskQueueKey = queue) -> MatchingTask {
        MatchingTask(
            queue: queue,
            key: WorkflowKey(namespace: 1, workflowID: "saga-\(number)"),
            runID: RunID(high: 0, low: UInt64(number)),
            kind: .activity(scheduledEventID: number, attempt: 1),
            bytes: bytes
        )
    }

    private static func poll(_ id: UInt64) -> Poll {
        Poll(
            handle: PollHandle(queue: queue, id: id),
            poller: PollerIdentity(identity: "worker", requestID: "poll \(id)", buildID: ""),
            since: .distantPast,
            deadline: .distantFuture,
            answer: .activity(Reply { _ in })
        )
    }

    private func pagedOut(_ actions: [MatchAction]) -> Int {
        actions.count { if case .pageOut = $0 { true } else { false } }
    }

    private func pages(_ actions: [MatchAction]) -> [Int] {
        actions.compactMap { if case .pageIn(_, let limit) = $0 { limit } else { nil } }
    }

    @Test func aBurstOfShortRunsStaysInMemory() {
        var state = TaskQueueState(Self.queue)
        var out = 0
        for number in Int64(0)..<10_000 { out += pagedOut(state.offer(Self.task(number, bytes: 5_000), at: Self.noon)) }
        #expect(out == 0 && state.taskCount == 10_000)
    }

    @Test func longRunsWaitInTheDatabase() {
        var state = TaskQueueState(Self.queue)
        let count = Int64(2_000)
        var out = 0
        for number in 0..<count { out += pagedOut(state.offer(Self.task(number, bytes: 256 << 10), at: Self.noon)) }
        #expect(state.taskCount == 256)
        #expect(out == Int(count) - 256)
        let full = state.backlogStored()
        #expect(pages(full).isEmpty)
        // A page when half of the bytes are free, for as many of that size as there is room for.
        var polled: UInt64 = 0
        var asked: [Int] = []
        while asked.isEmpty, polled < 1_000 {
            polled += 1
            asked = pages(state.poll(Self.poll(polled), isSticky: false, at: Self.noon))
        }
        #expect(polled == 129)
        #expect(asked == [129])
    }

    /// Many full queues share what there is.
    @Test func allQueuesTogetherAreBounded() {
        var state = MatchingState(room: QueueRoom(tasks: 1_000, bytes: 4 << 20), allBytes: 10 << 20)
        var out = 0
        for queue in 0..<20 {
            let key = TaskQueueKey(namespace: 1, name: "queue-\(queue)", kind: .activity)
            for number in Int64(0)..<1_000 {
                let task = Self.task(number, bytes: 8 << 10, on: key)
                out += pagedOut(state.offer(task, at: Self.noon))
            }
        }
        // Two and a half are full, each of the others has 2 MiB.
        #expect(state.heldBytes > 40 << 20 && state.heldBytes < 48 << 20)
        #expect(out == 20_000 - state.heldTasks.count)
        let held = state.heldBytes
        _ = state.step(at: Self.noon)
        #expect(state.heldBytes == held)
        // A queue that has more than its part gives one up for each that comes.
        let first = TaskQueueKey(namespace: 1, name: "queue-0", kind: .activity)
        _ = state.offer(Self.task(9_999, bytes: 8 << 10, on: first), at: Self.noon)
        #expect(state.heldBytes <= held)
    }

    /// Whatever the sizes, the bytes of the tasks that wait are counted right.
    @Test(arguments: 0..<20 as Range<UInt64>)
    func nothingStaysCounted(_ seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        var state = TaskQueueState(Self.queue, room: QueueRoom(tasks: 50, bytes: 100_000))
        var stored: [MatchingTask] = []
        var polls: UInt64 = 0
        for number in Int64(0)..<500 {
            let task = Self.task(number, bytes: Int.random(in: 1...20_000, using: &random))
            var actions: [MatchAction] = []
            if random.once(in: 3) {
                polls += 1
                actions = state.poll(Self.poll(polls), isSticky: false, at: Self.noon)
            } else {
                actions = state.offer(task, at: Self.noon)
            }
            for case .pageOut(let task) in actions { stored.append(task) }
            let bytes = state.heldTasks.reduce(0) { $0 + $1.bytes }
            #expect(state.heldBytes == bytes)
            #expect(bytes <= 100_000 || state.taskCount <= 2)
            #expect(state.taskCount <= 50)
        }
        #expect(!stored.isEmpty)
    }
}
