public import SagamoreAPI
public import SagamoreEngine

/// What is known of a task queue.
public struct TaskQueueDescription: Sendable {
    /// A worker that has polled the queue a short time ago, by its identity.
    public struct Poller: Sendable, Equatable {
        /// The worker's identity, as it gives it.
        public let identity: String
        /// When its last poll came or ended.
        public var lastAccess: Instant
        /// The rate that it asks for, in tasks per second; nil for none.
        public var rate: Double?
        /// The build of its code; may be empty.
        public var buildID: String

        public init(identity: String, lastAccess: Instant, rate: Double?, buildID: String) {
            self.identity = identity
            self.lastAccess = lastAccess
            self.rate = rate
            self.buildID = buildID
        }
    }

    /// The figures of one priority.
    public struct Statistics: Sendable, Equatable {
        /// Tasks that wait, in memory and in the database.
        public var backlogCount: Int64 = 0
        /// When the oldest of the tasks in memory became due; nil when none waits.
        public var oldest: Instant?
        /// Tasks that came, per second.
        public var addRate: Double = 0
        /// Tasks that polls got, per second.
        public var dispatchRate: Double = 0

        public init() {}

        /// Adds the figures of another priority.
        public mutating func add(_ other: Statistics) {
            backlogCount += other.backlogCount
            oldest = [oldest, other.oldest].compactMap(\.self).min()
            addRate += other.addRate
            dispatchRate += other.dispatchRate
        }
    }

    /// A limit that holds, in tasks per second, and who set it.
    public struct Limit: Sendable, Equatable {
        /// Tasks per second.
        public let rate: Double
        /// Whether a worker asked for it; otherwise the queue's settings do.
        public let isWorkers: Bool

        public init(rate: Double, isWorkers: Bool) {
            self.rate = rate
            self.isWorkers = isWorkers
        }
    }

    /// The workers, in the order of their identities.
    public var pollers: [Poller] = []
    /// By priority. Priorities that no task had are missing.
    public var statistics: [Int8: Statistics] = [:]
    /// The settings.
    public var settings = TaskQueueConfig()
    /// The limit of the whole queue.
    public var limit: Limit?
    /// Whether tasks wait because of a limit.
    public var isLimited = false
    /// When the description was made.
    public var now: Instant

    public init(at now: Instant) { self.now = now }
}

/// Where the settings of task queues are stored.
public protocol TaskQueueSettingsStore: Sendable {
    /// Reads all settings. Blocks.
    ///
    /// - Throws: `unavailable`.
    func load() throws(RequestError) -> [(TaskQueueKey, TaskQueueConfig)]
    /// Writes the settings of a queue, and returns when they are durable. Blocks.
    ///
    /// - Throws: `unavailable`.
    func save(_ settings: TaskQueueConfig, of queue: TaskQueueKey) throws(RequestError)
}
