internal import SagamoreEngine
internal import SagamoreProtobuf
internal import SagamoreServices

/// The rate limits of a task queue, for the whole queue and for each fairness key, and the tasks of keys that have to
/// wait for theirs.
struct TaskPace {
    /// Tasks of one key that are held back.
    private struct Held {
        var line = TaskLine()
        /// Whether `ready` has the key. Otherwise its first task is back in the line.
        var isScheduled = false
    }

    private struct Ready: Comparable {
        let at: Instant
        let key: ExactText

        static func < (left: Ready, right: Ready) -> Bool {
            left.at == right.at ? left.key < right.key : left.at < right.at
        }
    }

    /// The limit of the whole queue.
    private(set) var queue: RateLimiter?
    /// The rate of a key of weight 1; nil for no limit.
    private(set) var keyRate: Double?
    private var keys: [ExactText: RateLimiter] = [:]
    private var held: [ExactText: Held] = [:]
    private var ready = MinMaxHeap<Ready>()
    private(set) var heldCount = 0

    /// Keys whose limiters are remembered. A forgotten one begins anew.
    private let keyLimit: Int

    init(keyLimit: Int = 10_000) { self.keyLimit = keyLimit }

    /// The number of keys whose limiters are remembered.
    var keyCount: Int { keys.count }

    /// Sets the limits.
    mutating func set(queueRate: Double?, keyRate: Double?) {
        if queueRate != queue?.rate { queue = queueRate.map { RateLimiter(rate: $0, after: queue) } }
        if keyRate != self.keyRate {
            self.keyRate = keyRate
            keys = [:]
            // All keys may be tried again at once.
            ready = MinMaxHeap()
            for key in held.keys.sorted() { schedule(key, at: .distantPast) }
        }
    }

    /// Whether the queue's limit lets a task through.
    func allows(at now: Instant) -> Bool { queue?.allows(at: now) ?? true }

    /// Notes whether tasks wait.
    mutating func owes(_ isOwing: Bool) { queue?.owes(isOwing) }

    /// Takes a task that no key limits.
    mutating func take(at now: Instant) { queue?.take(at: now) }

    /// A task that was taken turned out to be none.
    mutating func giveBack() { queue?.giveBack() }

    /// When the next task may go, if some wait in the line; nil for never.
    func next(at now: Instant, isLineEmpty: Bool) -> Instant? {
        let open = queue.map { $0.next(at: now) } ?? .distantPast
        guard let open else { return nil }
        if !isLineEmpty { return open }
        return ready.min.map { max($0.at, open) }
    }

    // MARK: Keys

    /// Returns tasks of keys whose time has come to the line.
    mutating func release(into line: inout TaskLine, at now: Instant) {
        while let first = ready.min, first.at <= now {
            _ = ready.popMin()
            guard var waiting = held.removeValue(forKey: first.key) else { continue }
            if let task = waiting.line.popFirst() {
                heldCount -= 1
                line.insert(task)
            }
            waiting.isScheduled = false
            if !waiting.line.isEmpty { held[first.key] = waiting }
        }
    }

    /// Takes the first task of the line, or holds it back.
    ///
    /// - Returns: whether the task may go.
    mutating func admit(_ task: MatchingTask, weight: Float, at now: Instant) -> Bool {
        let key = ExactText(task.priority.share?.key ?? "")
        if let keyRate {
            let rate = keyRate * Double(weight)
            var limiter = keys[key].flatMap { $0.rate == rate ? $0 : nil } ?? RateLimiter(rate: rate, after: keys[key])
            guard limiter.allows(at: now) else {
                hold(task, key, until: limiter.next(at: now))
                return false
            }
            limiter.owes(held[key] != nil)
            limiter.take(at: now)
            keys[key] = limiter
            if let waiting = held[key], !waiting.isScheduled { schedule(key, at: limiter.next(at: now)) }
            if keys.count > keyLimit { prune(at: now) }
        }
        queue?.take(at: now)
        return true
    }

    private mutating func hold(_ task: MatchingTask, _ key: ExactText, until next: Instant?) {
        heldCount += 1
        held[key, default: Held()].line.insert(task)
        if held[key]?.isScheduled == false { schedule(key, at: next) }
    }

    /// - Parameter next: nil for never.
    private mutating func schedule(_ key: ExactText, at next: Instant?) {
        held[key]?.isScheduled = true
        ready.insert(Ready(at: next ?? .distantFuture, key: key))
    }

    private mutating func prune(at now: Instant) {
        keys = keys.filter { held[$0.key] != nil || !$0.value.allows(at: now) }
        guard keys.count > keyLimit / 2 else { return }
        // The limiters that allow a task last matter most.
        let times = keys.map { (key: $0.key, next: $0.value.next(at: now) ?? .distantFuture) }
        for old in times.sorted(by: { $0.next > $1.next }).dropFirst(keyLimit / 2) { keys[old.key] = nil }
    }

    /// A task of the line was removed: if it was the released one of its key, the next one is released.
    mutating func removed(_ task: MatchingTask) {
        let key = ExactText(task.priority.share?.key ?? "")
        if let waiting = held[key], !waiting.isScheduled { schedule(key, at: .distantPast) }
    }

    /// Removes the last task of the key that has to wait longest.
    mutating func popLast() -> MatchingTask? {
        guard let last = ready.max, let task = held[last.key]?.line.popLast() else { return nil }
        heldCount -= 1
        if held[last.key]?.line.isEmpty ?? false {
            held[last.key] = nil
            _ = ready.popMax()
        }
        return task
    }

    /// Removes and returns all tasks that are held back.
    mutating func popAll() -> [MatchingTask] {
        let tasks = all
        held = [:]
        ready = MinMaxHeap()
        heldCount = 0
        return tasks
    }

    var all: [MatchingTask] { held.keys.sorted().flatMap { held[$0]?.line.inOrder ?? [] } }
}
