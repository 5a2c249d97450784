import SagamoreEngine
import SagamoreServices
import Testing

@testable import SagamoreMatchingService

/// The order of tasks: priorities strictly first, within a priority a fair share for each key.
@Suite struct TaskOrderTests {
    private static let noon = Instant(nanoseconds: 1_749_988_800_000_000_000)
    private static let queue = TaskQueueKey(namespace: 1, name: "travel", kind: .activity)
    private static let room = QueueRoom(tasks: 2_000, bytes: .max)

    private static func task(
        _ number: Int,
        level: Int8 = 3,
        key: String = "",
        weight: Float = 0,
        place: Int64? = nil
    ) -> MatchingTask {
        MatchingTask(
            queue: queue,
            key: WorkflowKey(namespace: 1, workflowID: "one"),
            runID: RunID(high: 1, low: 1),
            kind: .activity(scheduledEventID: Int64(number), attempt: 1),
            priority: TaskPriority(level: level, share: FairShare(key: key, weight: weight)),
            place: place
        )
    }

    private static func number(_ task: MatchingTask) -> Int {
        if case .activity(let id, _) = task.kind { Int(id) } else { -1 }
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

    /// A queue with the backlog that the database would hold for it.
    private struct World {
        var state = TaskQueueState(TaskOrderTests.queue, room: TaskOrderTests.room)
        var stored: [MatchingTask] = []
        var now = TaskOrderTests.noon
        var served: [MatchingTask] = []
        var pageOuts = 0
        private var nextPoll: UInt64 = 1

        mutating func offer(_ task: MatchingTask) { carryOut(state.offer(task, at: now)) }

        mutating func serveOne() {
            carryOut(state.poll(TaskOrderTests.poll(nextPoll), isSticky: false, at: now))
            nextPoll += 1
        }

        private mutating func carryOut(_ actions: [MatchAction]) {
            for action in actions {
                switch action {
                case .match(let queued, _): served.append(queued.task)
                case .pageOut(let task):
                    pageOuts += 1
                    stored.append(task)
                    carryOut(state.backlogStored())
                case .pageIn(_, let limit): page(limit)
                case .end, .abandon: Issue.record("no poll ends, and no task is sticky")
                }
            }
        }

        private mutating func page(_ limit: Int) {
            stored.sort { $0.taskPlace < $1.taskPlace }
            let page = Array(stored.prefix(limit))
            stored.removeFirst(page.count)
            for task in page { offer(task) }
            carryOut(state.backlogPaged(next: stored.first?.taskPlace))
        }
    }

    @Test func prioritiesGoStrictlyFirst() {
        var world = World()
        for number in 0..<500 { world.offer(Self.task(number, level: Int8(number % 5 + 1))) }
        for _ in 0..<500 { world.serveOne() }
        let expected = (0..<5).flatMap { level in stride(from: level, to: 500, by: 5) }
        #expect(world.served.map(Self.number) == expected)
    }

    /// With 1,000 tasks in memory, and with so many that most of them wait in the database.
    @Test(arguments: [1_000, 5_000])
    func aKeyWithFewTasksDoesNotStarve(_ crowd: Int) {
        var world = World()
        for number in 0..<crowd { world.offer(Self.task(number, key: "crowd")) }
        for number in 0..<10 { world.offer(Self.task(crowd + number, key: "few")) }
        #expect(world.state.taskCount <= Self.room.tasks)
        for _ in 0..<20 { world.serveOne() }
        // The keys take turns.
        #expect(world.served.filter { $0.priority.share?.key == "few" }.map(Self.number) == Array(crowd..<crowd + 10))
        for _ in 0..<crowd - 10 { world.serveOne() }
        #expect(Set(world.served.map(Self.number)).count == crowd + 10)
        #expect(world.served.count == crowd + 10)
        let order = world.served.filter { $0.priority.share?.key == "crowd" }.map(Self.number)
        #expect(order == Array(0..<crowd))
        // A task that makes room for another one costs no more than that one would.
        #expect(world.pageOuts <= max(0, crowd + 10 - Self.room.tasks))
    }

    @Test func anUrgentTaskPassesAFullQueueAndItsBacklog() {
        var world = World()
        for number in 0..<3_000 { world.offer(Self.task(number)) }
        world.offer(Self.task(9_000, level: 1))
        world.offer(Self.task(9_001, level: 5))
        world.serveOne()
        #expect(world.served.map(Self.number) == [9_000])
        for _ in 0..<3_001 { world.serveOne() }
        #expect(world.served.map(Self.number) == [9_000] + Array(0..<3_000) + [9_001])
    }

    /// Whatever keys and weights there are: while keys have tasks, each is served in proportion to its weight, within
    /// as many tasks as there are keys.
    @Test(arguments: Array(1...20) as [UInt64])
    func sharesFollowTheWeights(_ seed: UInt64) {
        var random = seed
        func next(_ bound: UInt64) -> UInt64 {
            random = random &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return (random >> 33) % bound
        }
        let weights = (0..<Int(next(6) + 2)).map { _ in [0.25, 0.5, 1, 2, 3, 8][Int(next(6))] as Float }
        var world = World()
        // So many of each key that none runs out.
        let count = 1_500
        var offers: [MatchingTask] = []
        for (key, weight) in weights.enumerated() {
            offers += (0..<count).map { Self.task(key * count + $0, key: "key \(key)", weight: weight) }
        }
        // In any order between the keys, each key's own in order.
        var heads = weights.indices.map { $0 * count }
        for _ in offers {
            var key = Int(next(UInt64(weights.count)))
            while heads[key] == (key + 1) * count { key = (key + 1) % weights.count }
            world.offer(offers[heads[key]])
            heads[key] += 1
        }
        var served = weights.map { _ in 0 }
        let total = weights.reduce(0, +)
        for step in 1...1_200 {
            world.serveOne()
            let key = Self.number(world.served[step - 1]) / count
            if Self.number(world.served[step - 1]) != key * count + served[key] {
                Issue.record("seed \(seed): key \(key) is out of order after \(step)")
            }
            served[key] += 1
            for (key, weight) in weights.enumerated() {
                let share = Float(step) * weight / total
                let isFair = abs(Float(served[key]) - share) <= Float(weights.count)
                if !isFair { Issue.record("seed \(seed): key \(key) has \(served[key]) of \(share) after \(step)") }
            }
        }
    }

    /// A stream of keys that come once passes nobody for ever.
    @Test func newKeysDoNotStarveOldOnes() {
        var world = World()
        for number in 0..<50 { world.offer(Self.task(number, key: "old")) }
        for number in 0..<2_000 {
            world.offer(Self.task(1_000 + number, key: "new \(number)"))
            world.serveOne()
        }
        #expect(world.served.filter { $0.priority.share?.key == "old" }.count == 50)
    }

    @Test func keysThatAreServedAreForgotten() {
        var clock = FairClock(keyLimit: 500)
        let priority = { (key: Int) in TaskPriority(level: 3, share: FairShare(key: "\(key)", weight: 1)) }
        for key in 0..<5_000 {
            let place = clock.place(of: priority(key), weight: 1, at: Self.noon)
            clock.served(TaskPlace(level: 3, place: place))
        }
        #expect(clock.keyCount <= 200)
        // Keys whose tasks all wait are bounded, too.
        for key in 0..<5_000 { _ = clock.place(of: priority(key), weight: 0.001, at: Self.noon) }
        #expect(clock.keyCount <= 500)
    }

    @Test func tasksOfAnEarlierProcessStandBeforeNewOnes() {
        var earlier = World()
        for number in 0..<4_000 { earlier.offer(Self.task(number, level: Int8(number % 2 + 2), key: "k\(number % 3)")) }
        for _ in 0..<500 { earlier.serveOne() }
        // A crash: what was in memory is offered anew, what waits in the database is found there.
        var world = World()
        world.stored = earlier.stored
        let old = Set(world.stored.map(Self.number))
        world.now = Self.noon + .seconds(1)
        _ = world.state.backlogStored()
        let page = world.stored.sorted { $0.taskPlace < $1.taskPlace }
        world.stored = []
        for task in page.prefix(2_000) { world.offer(task) }
        world.stored = Array(page.dropFirst(2_000))
        _ = world.state.backlogPaged(next: world.stored.map(\.taskPlace).min())
        for number in 0..<100 { world.offer(Self.task(10_000 + number, level: 3, key: "k0")) }
        for _ in 0..<old.count + 100 { world.serveOne() }
        #expect(world.served.count == old.count + 100)
        let levels = world.served.map(\.priority.level)
        #expect(levels == levels.sorted())
        let numbers = world.served.filter { $0.priority.share?.key == "k0" && $0.priority.level == 3 }.map(Self.number)
        #expect(numbers == numbers.sorted())
    }

    @Test func tasksWithoutKeysKeepTheOrderOfArrival() {
        var tasks = WaitingTasks()
        for number in 0..<10 {
            tasks.insert(tasks.placed(Self.task(number), at: Self.noon + .seconds(-Int64(number))))
        }
        #expect((0..<10).compactMap { _ in tasks.next(at: Self.noon)?.task }.map(Self.number) == Array(0..<10))
        #expect(tasks.isEmpty)
    }
}
