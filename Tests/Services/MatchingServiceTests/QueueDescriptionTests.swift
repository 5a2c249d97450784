import SagamoreAPI
import SagamoreEngine
import SagamoreLogging
import SagamoreServices
import Synchronization
import Testing

@testable import SagamoreMatchingService

/// What a queue tells of itself, and its stored settings.
@Suite struct QueueDescriptionTests {
    private static let noon = Instant(nanoseconds: 1_749_988_800_000_000_000)
    private static let queue = TaskQueueKey(namespace: 1, name: "travel", kind: .activity)

    private static func task(_ number: Int, level: Int8 = 3) -> MatchingTask {
        MatchingTask(
            queue: queue,
            key: WorkflowKey(namespace: 1, workflowID: "one"),
            runID: RunID(high: 1, low: 1),
            kind: .activity(scheduledEventID: Int64(number), attempt: 1),
            priority: TaskPriority(level: level)
        )
    }

    private static func poll(_ id: UInt64, _ identity: String = "worker") -> Poll {
        Poll(
            handle: PollHandle(queue: queue, id: id),
            poller: PollerIdentity(identity: identity, requestID: "", buildID: "build"),
            since: .distantPast,
            deadline: .distantFuture,
            answer: .activity(Reply { _ in })
        )
    }

    @Test func aRateIsThatOfTheLastThirtySeconds() {
        var meter = RateMeter(at: Self.noon)
        #expect(meter.rate(at: Self.noon) == 0)
        meter.count(at: Self.noon)
        #expect(meter.rate(at: Self.noon) == 1)
        #expect(abs(meter.rate(at: Self.noon + .seconds(4)) - 0.25) < 0.001)
        for second in 0..<100 {
            for _ in 0..<3 { meter.count(at: Self.noon + .seconds(Int64(second))) }
        }
        #expect(abs(meter.rate(at: Self.noon + .seconds(99)) - 3) < 0.001)
        #expect(abs(meter.rate(at: Self.noon + .seconds(114)) - 1.5) < 0.001)
        #expect(meter.rate(at: Self.noon + .seconds(10_000)) == 0)
        // A clock that goes back breaks nothing.
        meter.count(at: Self.noon)
        #expect(meter.rate(at: Self.noon + .seconds(99)) > 0)
    }

    @Test func figuresCountEachPriorityAndWhatWaitsInTheDatabase() {
        var state = TaskQueueState(Self.queue)
        for number in 0..<10 { _ = state.offer(Self.task(number, level: 1), at: Self.noon + .seconds(1)) }
        for number in 0..<2_500 { _ = state.offer(Self.task(number), at: Self.noon + .seconds(2)) }
        var described = state.describe(at: Self.noon + .seconds(3))
        #expect(described.statistics.keys.sorted() == [1, 3])
        #expect(described.statistics[1]?.backlogCount == 10)
        #expect(described.statistics[1]?.oldest == Self.noon + .seconds(1))
        #expect(described.statistics[3]?.backlogCount == 2_500)
        for number in 0..<10 { _ = state.poll(Self.poll(UInt64(number)), isSticky: false, at: Self.noon + .seconds(4)) }
        described = state.describe(at: Self.noon + .seconds(5))
        #expect(described.statistics[1]?.backlogCount == 0)
        #expect(described.statistics[1]?.oldest == nil)
        #expect(described.statistics[1]?.dispatchRate ?? 0 > 0)
        #expect(described.statistics[3]?.dispatchRate == 0)
        #expect(described.pollers.map(\.identity) == ["worker"])
        #expect(described.pollers.first?.lastAccess == Self.noon + .seconds(4))
        #expect(described.pollers.first?.buildID == "build")
        #expect(state.describe(at: Self.noon + .seconds(305)).pollers.isEmpty, "forgotten after five minutes")
    }

    @Test func pollersAreBounded() {
        var statistics = QueueStatistics()
        for number in 0..<100_000 {
            let poller = PollerIdentity(identity: "worker \(number)", requestID: "", buildID: "")
            statistics.polled(by: poller, at: Self.noon + .milliseconds(Int64(number)))
        }
        var description = TaskQueueDescription(at: Self.noon + .milliseconds(100_000))
        statistics.describe([], in: &description)
        #expect(description.pollers.count <= QueueStatistics.pollerLimit)
        #expect(description.pollers.contains { $0.identity == "worker 99999" })
    }

    private final class Store: TaskQueueSettingsStore {
        let stored = Mutex<[TaskQueueKey: TaskQueueConfig]>([:])
        let isAway = Mutex(false)

        func load() throws(RequestError) -> [(TaskQueueKey, TaskQueueConfig)] {
            stored.withLock { stored in stored.map { ($0.key, $0.value) } }
        }

        func save(_ settings: TaskQueueConfig, of queue: TaskQueueKey) throws(RequestError) {
            if isAway.withLock({ $0 }) { throw .unavailable("away") }
            stored.withLock { $0[queue] = settings }
        }
    }

    @Test func settingsHoldOnceTheyAreStoredAndAfterARestart() throws {
        let store = Store()
        func service() throws -> MatchingService {
            let (history, log) = (ScriptedHistory(), Logger(label: "test"))
            let service = MatchingService(history: history, settings: store, clock: { Self.noon }, log: log)
            try service.loadSettings()
            return service
        }
        let first = try service()
        func setRate(_ rate: Float) throws(RequestError) {
            _ = try first.configure(Self.queue) { (settings) throws(RequestError) in
                settings.queueRateLimit = RateLimitConfig()
                settings.queueRateLimit?.rateLimit = RateLimit()
                settings.queueRateLimit?.rateLimit?.requestsPerSecond = rate
            }
        }
        try setRate(5)
        #expect(first.describe(Self.queue).limit?.rate == 5)
        store.isAway.withLock { $0 = true }
        #expect(throws: RequestError.self) { try setRate(9) }
        #expect(first.describe(Self.queue).limit?.rate == 5, "what is not stored does not hold")
        #expect(throws: RequestError.self) {
            _ = try first.configure(Self.queue) { (_) throws(RequestError) in throw .invalidArgument("no") }
        }
        let second = try service()
        #expect(second.describe(Self.queue).limit?.rate == 5)
        #expect(second.describe(Self.queue).settings == first.describe(Self.queue).settings)
        let workflows = TaskQueueKey(namespace: 1, name: "travel", kind: .workflow)
        #expect(second.describe(workflows).limit == nil)
    }
}
