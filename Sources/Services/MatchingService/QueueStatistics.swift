internal import SagamoreEngine
internal import SagamoreProtobuf
internal import SagamoreServices

/// Counts tasks over the last 30 seconds.
struct RateMeter {
    private var seconds: [Int32] = []
    /// The second of the newest count.
    private var newest: Int64 = 0
    private var startedAt: Instant

    private static let window = 30

    init(at now: Instant) { startedAt = now }

    mutating func count(at now: Instant) {
        let second = now.nanoseconds / 1_000_000_000
        if seconds.isEmpty {
            seconds = Array(repeating: 0, count: Self.window)
            newest = second
        }
        if second > newest {
            for gone in 1...Swift.min(second - newest, Int64(Self.window)) {
                seconds[Self.index(newest + gone)] = 0
            }
            newest = second
        }
        // The clock may have gone back a little.
        seconds[Self.index(Swift.max(second, newest - Int64(Self.window) + 1))] += 1
    }

    /// Tasks per second.
    func rate(at now: Instant) -> Double {
        guard !seconds.isEmpty else { return 0 }
        let second = now.nanoseconds / 1_000_000_000
        let oldest = second - Int64(Self.window)
        var total = 0
        for age in 0..<Int64(Self.window) where newest - age > oldest {
            total += Int(seconds[Self.index(newest - age)])
        }
        let elapsed = Double(now.nanoseconds - startedAt.nanoseconds) / 1e9
        return Double(total) / Swift.min(Swift.max(elapsed, 1), Double(Self.window))
    }

    private static func index(_ second: Int64) -> Int { Int(second % Int64(window)) }
}

/// What is counted for the descriptions of a queue: its tasks by priority, and who polls it.
struct QueueStatistics {
    private struct Level {
        var added: RateMeter
        var dispatched: RateMeter
        /// Tasks that were paged out and not back in.
        var stored: Int64 = 0
    }

    private var levels: [Level?] = []
    private var pollers: [ExactText: TaskQueueDescription.Poller] = [:]
    /// The rate of the last poll that named one.
    private(set) var workerRate: Double?

    /// Pollers that are remembered.
    static let pollerLimit = 1_000
    /// Temporal default: 5 minutes.
    private static let pollerAge = Interval.seconds(300)

    private mutating func change(_ priority: Int8, at now: Instant, _ body: (inout Level) -> Void) {
        if levels.isEmpty { levels = TaskPriority.levels.map { _ in nil } }
        let index = Int(priority - TaskPriority.levels.lowerBound)
        if levels[index] == nil {
            levels[index] = Level(added: RateMeter(at: now), dispatched: RateMeter(at: now))
        }
        if levels[index] != nil { body(&levels[index]!) }
    }

    mutating func added(_ task: MatchingTask, at now: Instant) {
        change(task.priority.level, at: now) { level in
            // One that comes back was counted.
            if task.place == nil { level.added.count(at: now) } else { level.stored = max(0, level.stored - 1) }
        }
    }

    mutating func dispatched(_ task: MatchingTask, at now: Instant) {
        change(task.priority.level, at: now) { $0.dispatched.count(at: now) }
    }

    mutating func pagedOut(_ task: MatchingTask, at now: Instant) {
        change(task.priority.level, at: now) { $0.stored += 1 }
    }

    /// Tasks that wait in the database, as far as is known.
    var storedCount: Int { levels.reduce(0) { $0 + Int($1?.stored ?? 0) } }

    /// How many tasks come and go a second.
    func rates(at now: Instant) -> (added: Double, dispatched: Double) {
        levels.reduce((0, 0)) { rates, level in
            guard let level else { return rates }
            return (rates.0 + level.added.rate(at: now), rates.1 + level.dispatched.rate(at: now))
        }
    }

    mutating func backlogIsEmpty() {
        for index in levels.indices { levels[index]?.stored = 0 }
    }

    /// Notes a poll that comes or ends.
    mutating func polled(by poller: PollerIdentity, at now: Instant) {
        pollers[ExactText(poller.identity)] = TaskQueueDescription.Poller(
            identity: poller.identity,
            lastAccess: now,
            rate: poller.tasksPerSecond,
            buildID: poller.buildID
        )
        if pollers.count > Self.pollerLimit { prune(at: now) }
    }

    /// Returns whether the rate has changed.
    mutating func workerAsks(for rate: Double?) -> Bool {
        guard let rate, rate != workerRate else { return false }
        workerRate = rate
        return true
    }

    private mutating func prune(at now: Instant) {
        pollers = pollers.filter { $0.value.lastAccess + Self.pollerAge > now }
        guard pollers.count > Self.pollerLimit / 2 else { return }
        let recent = pollers.values.sorted { $0.lastAccess > $1.lastAccess }.prefix(Self.pollerLimit / 2)
        pollers = Dictionary(uniqueKeysWithValues: recent.map { (ExactText($0.identity), $0) })
    }

    /// Fills the pollers and the figures of each priority.
    func describe(_ waiting: [MatchingTask], in description: inout TaskQueueDescription) {
        let now = description.now
        description.pollers = pollers.values.filter { $0.lastAccess + Self.pollerAge > now }
            .sorted { ExactText($0.identity) < ExactText($1.identity) }
        for (index, level) in levels.enumerated() {
            guard let level else { continue }
            var statistics = TaskQueueDescription.Statistics()
            statistics.backlogCount = level.stored
            statistics.addRate = level.added.rate(at: now)
            statistics.dispatchRate = level.dispatched.rate(at: now)
            description.statistics[Int8(index) + TaskPriority.levels.lowerBound] = statistics
        }
        for task in waiting where !task.isQuery {
            var statistics = description.statistics[task.priority.level] ?? TaskQueueDescription.Statistics()
            statistics.backlogCount += 1
            statistics.oldest = [statistics.oldest, task.since].compactMap(\.self).min()
            description.statistics[task.priority.level] = statistics
        }
    }
}
