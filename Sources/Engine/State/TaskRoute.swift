public import SagamoreAPI
internal import SagamoreProtobuf

/// How a task travels through Matching. It comes with the offer, and Matching orders tasks by nothing else.
public struct TaskRoute: Sendable, Equatable {
    /// The task queue whose pollers may get the task.
    public let queue: String
    /// The place among the queue's tasks.
    public let priority: TaskPriority

    public init(queue: String, priority: TaskPriority = .standard) {
        self.queue = queue
        self.priority = priority
    }
}

/// The place of a task among those of its queue: its priority, and its share among tasks of equal priority.
public struct TaskPriority: Sendable, Equatable {
    /// From 1, which goes first, to 5.
    public let level: Int8
    /// The share of the task's fairness key; nil without a key and without a weight.
    public let share: FairShare?

    /// The priority of tasks that ask for none: the middle one.
    public static let standard = TaskPriority(level: 3)
    /// All levels, the most urgent one first.
    public static let levels: ClosedRange<Int8> = 1...5

    public init(level: Int8, share: FairShare? = nil) {
        self.level = min(max(level, Self.levels.lowerBound), Self.levels.upperBound)
        self.share = share
    }

    /// The priority of a task. What it leaves out is inherited, each field by itself.
    public init(_ own: Priority?, inheriting base: Priority? = nil) {
        if own == nil, base == nil {
            self = .standard
            return
        }
        let merged = Priority(own, inheriting: base) ?? Priority()
        let level = merged.priorityKey > 0 ? Int8(clamping: merged.priorityKey) : Self.standard.level
        self.init(level: level, share: FairShare(key: merged.fairnessKey, weight: merged.fairnessWeight))
    }
}

/// A fairness key with its weight. Among tasks of equal priority each key gets a share of the queue's workers in
/// proportion to its weight. A class, since most tasks have none.
public final class FairShare: Sendable, Equatable {
    /// The key; may be empty.
    public let key: String
    /// From 0.001 to 1,000.
    public let weight: Float

    /// The weights that count; others are rounded to the nearest one.
    public static let weights: ClosedRange<Float> = 0.001...1_000

    /// A share; nil for a task without a key whose weight is that of all others.
    public init?(key: String, weight: Float) {
        let weight = Self.effective(weight)
        if key.isEmpty, weight == 1 { return nil }
        self.key = key
        self.weight = weight
    }

    /// The weight that counts for a given one: 1 where none is given.
    public static func effective(_ weight: Float) -> Float {
        weight > 0 ? min(max(weight, weights.lowerBound), weights.upperBound) : 1
    }

    public static func == (left: FairShare, right: FairShare) -> Bool {
        left === right || (left.weight == right.weight && left.key.hasSameBytes(as: right.key))
    }
}

extension Priority {
    /// A priority with what it leaves out taken from another one, each field by itself.
    public init?(_ own: Priority?, inheriting base: Priority?) {
        guard var merged = own else {
            guard let base else { return nil }
            self = base
            return
        }
        if let base {
            if merged.priorityKey == 0 { merged.priorityKey = base.priorityKey }
            if merged.fairnessKey.isEmpty { merged.fairnessKey = base.fairnessKey }
            if merged.fairnessWeight == 0 { merged.fairnessWeight = base.fairnessWeight }
        }
        self = merged
    }
}

/// Rejects a priority that no task can have.
///
/// - Throws: `invalidArgument`.
public func checkPriority(_ priority: Priority?) throws(RequestError) {
    guard let priority else { return }
    if priority.priorityKey < 0 { throw .invalidArgument("priority key can't be negative") }
    try checkFairnessKey(priority.fairnessKey)
    if !(priority.fairnessWeight >= 0) { throw .invalidArgument("must be greater than zero") }
}

/// Rejects a fairness key that is too long.
///
/// - Throws: `invalidArgument`.
public func checkFairnessKey(_ key: String) throws(RequestError) {
    if key.utf8.count > 64 { throw .invalidArgument("fairness key length exceeds limit") }
}

extension Execution {
    /// The route of the run's workflow tasks.
    public var route: TaskRoute { TaskRoute(queue: durable.taskQueue, priority: TaskPriority(durable.priority)) }

    /// The route of an activity's attempts. An activity inherits the run's priority.
    public func route(of activity: PendingActivity) -> TaskRoute {
        route(of: activity.priority, queue: activity.taskQueue)
    }

    /// The route of an activity with this priority on a task queue.
    func route(of priority: Priority?, queue: String) -> TaskRoute {
        TaskRoute(queue: queue, priority: TaskPriority(priority, inheriting: durable.priority))
    }
}
