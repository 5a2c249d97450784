import SagamoreAPI
import SagamoreEngine
import SagamoreServices
import Testing

@testable import SagamoreMatchingService

/// Rate limits, by a clock that the tests turn.
@Suite struct RateLimitTests {
    private static let noon = Instant(nanoseconds: 1_749_988_800_000_000_000)
    private static let queue = TaskQueueKey(namespace: 1, name: "travel", kind: .activity)
    private static let room = QueueRoom(tasks: 2_000, bytes: .max)

    private static func task(_ number: Int, key: String = "", weight: Float = 0, level: Int8 = 3) -> MatchingTask {
        MatchingTask(
            queue: queue,
            key: WorkflowKey(namespace: 1, workflowID: "one"),
            runID: RunID(high: 1, low: 1),
            kind: .activity(scheduledEventID: Int64(number), attempt: 1),
            priority: TaskPriority(level: level, share: FairShare(key: key, weight: weight))
        )
    }

    private static func settings(queue: Float? = nil, key: Float? = nil, _ weights: [String: Float] = [:])
        -> TaskQueueConfig
    {
        func limit(_ rate: Float) -> RateLimitConfig {
            var limit = RateLimitConfig()
            limit.rateLimit = RateLimit()
            limit.rateLimit?.requestsPerSecond = rate
            return limit
        }
        var config = TaskQueueConfig()
        config.queueRateLimit = queue.map(limit)
        config.fairnessKeysRateLimitDefault = key.map(limit)
        for (key, weight) in weights { config.fairnessWeightOverrides[key] = weight }
        return config
    }

    /// A queue whose polls are renewed as soon as they have a task, and whose timer is exact, or late as told.
    private struct World {
        var state: TaskQueueState
        var now = RateLimitTests.noon
        var served: [(at: Interval, task: MatchingTask)] = []
        var lateness = Interval.zero
        private var nextPoll: UInt64 = 1

        init(_ settings: TaskQueueConfig? = nil) {
            state = TaskQueueState(RateLimitTests.queue, room: RateLimitTests.room, settings: settings)
        }

        mutating func offer(_ task: MatchingTask) { carryOut(state.offer(task, at: now)) }

        mutating func poll(rate: Double? = nil) {
            let poller = PollerIdentity(identity: "worker", requestID: "", buildID: "", tasksPerSecond: rate)
            let poll = Poll(
                handle: PollHandle(queue: RateLimitTests.queue, id: nextPoll),
                poller: poller,
                since: .distantPast,
                deadline: .distantFuture,
                answer: .activity(Reply { _ in })
            )
            nextPoll += 1
            carryOut(state.poll(poll, isSticky: false, at: now))
        }

        mutating func configure(_ settings: TaskQueueConfig) { carryOut(state.configure(settings, at: now)) }

        /// Lets time pass, with a step whenever the queue asks for one.
        mutating func pass(_ interval: Interval) {
            let end = now + interval
            while let wake = state.pacedWake, max(wake, now) + lateness <= end {
                now = max(wake, now) + lateness
                carryOut(state.step(at: now))
            }
            now = max(now, end)
        }

        private mutating func carryOut(_ actions: [MatchAction]) {
            for case .match(let queued, _) in actions {
                served.append((now - RateLimitTests.noon, queued.task))
                poll()
            }
        }

        func count(from start: Interval, to end: Interval) -> Int {
            served.filter { $0.at >= start && $0.at < end }.count
        }
    }

    private static func seconds(_ seconds: Double) -> Interval { Interval(nanoseconds: Int64(seconds * 1e9)) }

    @Test(arguments: [1, 3, 10, 250] as [Float])
    func noSecondSeesMoreThanTheRate(_ rate: Float) {
        var world = World(Self.settings(queue: rate))
        for number in 0..<2_000 { world.offer(Self.task(number)) }
        for _ in 0..<20 { world.poll() }
        world.pass(Self.seconds(4))
        for start in stride(from: 0.0, to: 3.0, by: 0.1) {
            let count = world.count(from: Self.seconds(start), to: Self.seconds(start + 1))
            #expect(abs(Float(count) - rate) <= 1, "from \(start)")
        }
        #expect(world.count(from: .zero, to: Self.seconds(1)) == Int(rate), "the first second is exact")
        // A weekend without tasks saves nothing up.
        var idle = World(Self.settings(queue: rate))
        idle.poll()
        idle.pass(Self.seconds(200_000))
        let later = idle.now - Self.noon
        for number in 0..<2_000 { idle.offer(Self.task(number)) }
        idle.pass(Self.seconds(1 - 1e-9))
        #expect(idle.count(from: later, to: Interval(nanoseconds: later.nanoseconds + 1_000_000_000)) == Int(rate))
    }

    @Test func aLateTimerDoesNotLowerTheRate() {
        var world = World(Self.settings(queue: 100))
        world.lateness = .milliseconds(37)
        for number in 0..<2_000 { world.offer(Self.task(number)) }
        world.poll()
        world.pass(Self.seconds(10))
        #expect(abs(world.served.count - 1_000) <= 10)
        #expect(world.count(from: .zero, to: Self.seconds(1)) <= 101)
    }

    @Test func zeroBlocksAndAChangeTakesEffectAtOnce() {
        var world = World(Self.settings(queue: 0))
        for number in 0..<100 { world.offer(Self.task(number)) }
        world.poll()
        world.pass(Self.seconds(1_000))
        #expect(world.served.isEmpty)
        #expect(world.state.pacedWake == nil)
        #expect(world.state.describe(at: world.now).isLimited)
        world.configure(Self.settings(queue: 5))
        #expect(world.served.count == 1)
        world.pass(Self.seconds(1))
        #expect(world.served.count == 6)
        world.configure(Self.settings(queue: 0))
        world.pass(Self.seconds(100))
        #expect(world.served.count == 6)
        world.configure(Self.settings())
        #expect(world.served.count == 100)
        #expect(!world.state.describe(at: world.now).isLimited)
    }

    @Test func theRateOfWorkersHoldsUnlessTheSettingsHaveOne() {
        var world = World()
        for number in 0..<100 { world.offer(Self.task(number)) }
        world.poll(rate: 2)
        world.poll()
        world.pass(Self.seconds(1 - 1e-9))
        #expect(world.served.count == 2)
        #expect(world.state.describe(at: world.now).limit == .init(rate: 2, isWorkers: true))
        // The newest worker decides, for all of them.
        world.poll(rate: 10)
        let before = world.served.count
        world.pass(Self.seconds(1))
        #expect(abs(world.served.count - before - 10) <= 1)
        world.configure(Self.settings(queue: 1))
        #expect(world.state.describe(at: world.now).limit == .init(rate: 1, isWorkers: false))
        let slow = world.served.count
        world.pass(Self.seconds(5))
        #expect(abs(world.served.count - slow - 5) <= 1)
    }

    @Test func aKeyThatIsLimitedHoldsUpNoOther() {
        var world = World(Self.settings(key: 2, ["fast": 5]))
        for number in 0..<100 { world.offer(Self.task(number, key: "slow")) }
        for number in 100..<200 { world.offer(Self.task(number, key: "fast")) }
        for number in 200..<210 { world.offer(Self.task(number, key: "urgent", level: 1)) }
        world.offer(Self.task(300, key: "other"))
        for _ in 0..<5 { world.poll() }
        world.pass(Self.seconds(10 - 1e-9))
        func count(_ key: String) -> Int { world.served.filter { $0.task.priority.share?.key == key }.count }
        #expect(count("slow") == 20)
        // Its limit is scaled by its weight.
        #expect(abs(count("fast") - 100) <= 1)
        #expect(count("urgent") == 10)
        #expect(count("other") == 1)
        let order = world.served.filter { $0.task.priority.share?.key == "slow" }.map(\.task.kind)
        #expect(order == (0..<20).map { .activity(scheduledEventID: $0, attempt: 1) })
        #expect(world.state.taskCount == 211 - world.served.count)
        // Without the limit the held tasks go.
        world.configure(Self.settings())
        #expect(world.state.taskCount == 0)
    }

    @Test func bothLimitsHoldTogether() {
        var world = World(Self.settings(queue: 4, key: 1))
        for number in 0..<90 { world.offer(Self.task(number, key: "key \(number % 9)")) }
        world.poll()
        world.pass(Self.seconds(10 - 1e-9))
        #expect(world.served.count == 40)
        for key in 0..<9 {
            let count = world.served.filter { $0.task.priority.share?.key == "key \(key)" }.count
            #expect(count <= 10 && count >= 4)
        }
    }

    @Test func aClockThatGoesBackHoldsUpOneTaskAtMost() {
        var limiter = RateLimiter(rate: 10)
        limiter.take(at: Self.noon)
        let before = Self.noon + .seconds(-3_600)
        #expect(!limiter.allows(at: before))
        #expect(limiter.next(at: before) == before + .milliseconds(100))
        // And one that jumps ahead gives no burst.
        limiter.owes(true)
        let after = Self.noon + .seconds(3_600)
        var count = 0
        while limiter.allows(at: after) {
            limiter.take(at: after)
            count += 1
        }
        #expect(count <= 2)
    }

    @Test func limitersOfManyKeysAreBounded() {
        var pace = TaskPace(keyLimit: 500)
        pace.set(queueRate: nil, keyRate: 0.001)
        var line = TaskLine()
        for number in 0..<5_000 { _ = pace.admit(Self.task(number, key: "\(number)"), weight: 1, at: Self.noon) }
        #expect(pace.keyCount <= 500)
        pace.release(into: &line, at: Self.noon)
        #expect(line.isEmpty && pace.heldCount == 0)
    }

    @Test func aFullQueueOfHeldTasksStillPagesOut() {
        var world = World(Self.settings(key: 0.001))
        var pagedOut = 0
        world.poll()
        for number in 0..<2_500 {
            for case .pageOut in world.state.offer(Self.task(number, key: "one"), at: world.now) { pagedOut += 1 }
        }
        #expect(world.state.taskCount <= Self.room.tasks)
        #expect(pagedOut + world.state.taskCount == 2_499)
    }

    @Test func aTaskThatIsOutOfDateCostsNoTurn() {
        var world = World(Self.settings(queue: 1))
        world.offer(Self.task(1))
        world.offer(Self.task(2))
        world.poll()
        #expect(world.served.count == 1)
        world.state.outOfDate()
        world.pass(.zero)
        _ = world.state.step(at: world.now)
        #expect(world.state.describe(at: world.now).isLimited == false)
    }
}
