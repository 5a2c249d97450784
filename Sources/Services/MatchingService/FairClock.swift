internal import SagamoreEngine
internal import SagamoreProtobuf
internal import SagamoreServices

/// Gives each task that waits its place, so that the keys of one priority share a queue's workers by their weights.
///
/// This is weighted fair queuing by virtual time, one for each priority. A task's place is the virtual time at which it
/// would be finished if all keys were served at once: a step behind the last task of its key, or behind the task that
/// was served last, whichever is later. The step is the inverse of the weight. So every task that is served brings all
/// others nearer, and none starves; and tasks without keys keep the order of their arrival.
///
/// Places are stored with tasks that wait in the database. A new clock begins at the wall clock's nanoseconds, ahead of
/// what an earlier one gave: a step of weight 1 is a microsecond.
struct FairClock {
    fileprivate struct Level {
        /// The place of the task that was served last.
        var now: Int64
        /// The last place of tasks without a key.
        var last: Int64
        /// The last places of keys, as far as they are ahead of `now`.
        var keys: [ExactText: Int64] = [:]
        /// Keys that are not ahead any more are removed when there are so many.
        var pruneAt = FairClock.pruning
    }

    /// By priority; empty until the first task waits.
    private var levels: [Level] = []
    private var startedAt = Instant.distantPast

    private static let step: Float = 1_000
    fileprivate static let pruning = 64
    /// Keys that are remembered for each priority. One that is forgotten goes on at the place that was served last, so
    /// its next task comes earlier than its share allows.
    private let keyLimit: Int

    init(keyLimit: Int = 10_000) { self.keyLimit = keyLimit }

    /// Gives a place to a task that has to wait.
    ///
    /// - Parameter weight: the weight of the task's key.
    mutating func place(of priority: TaskPriority, weight: Float, at now: Instant) -> Int64 {
        start(at: now)
        let index = Int(priority.level - TaskPriority.levels.lowerBound)
        let step = Swift.max(1, Int64(Self.step / weight))
        guard let key = priority.share?.key, !key.isEmpty else {
            let place = Swift.max(levels[index].now, levels[index].last) + step
            levels[index].last = place
            return place
        }
        return levels[index].place(of: ExactText(key), step, keyLimit)
    }

    private mutating func start(at now: Instant) {
        guard levels.isEmpty else { return }
        levels = TaskPriority.levels.map { _ in Level(now: now.nanoseconds, last: now.nanoseconds) }
        startedAt = now
    }

    /// Whether a task was due before the clock began: it waited in the memory of an earlier process.
    mutating func isEarlier(_ since: Instant, at now: Instant) -> Bool {
        start(at: now)
        return since < startedAt
    }

    /// The place of a task that waited in the memory of an earlier process: before those that waited in the database,
    /// and among its kind in the order of time.
    static func place(ofEarlierTask since: Instant) -> Int64 { max(since.nanoseconds, 0) - (1 << 60) }

    /// Notes that a task is served.
    mutating func served(_ place: TaskPlace) {
        let index = Int(place.level - TaskPriority.levels.lowerBound)
        guard levels.indices.contains(index), place.place > levels[index].now else { return }
        levels[index].now = place.place
    }

    /// Notes the place of a task that comes back from the database, where it got it from an earlier clock.
    mutating func restored(_ task: MatchingTask, at now: Instant) {
        guard let place = task.place, levels.isEmpty, place > now.nanoseconds else { return }
        start(at: Instant(nanoseconds: place))
    }

    /// The number of keys that are remembered.
    var keyCount: Int { levels.reduce(0) { $0 + $1.keys.count } }
}

extension FairClock.Level {
    fileprivate mutating func place(of key: ExactText, _ step: Int64, _ limit: Int) -> Int64 {
        let place = Swift.max(now, keys[key] ?? now) + step
        keys[key] = place
        if keys.count > min(pruneAt, limit) { prune(limit) }
        return place
    }

    private mutating func prune(_ limit: Int) {
        keys = keys.filter { $0.value > now }
        if keys.count > limit / 2 {
            // The places that are least ahead matter least.
            let kept = keys.sorted { $0.value > $1.value }.prefix(limit / 2)
            keys = Dictionary(uniqueKeysWithValues: kept.map { ($0.key, $0.value) })
        }
        pruneAt = Swift.max(2 * keys.count, FairClock.pruning)
    }
}
