public import SagamoreServices

/// What the database says of the whole installation, for those who watch it.
public struct InstallationFigures: Sendable {
    /// Tasks that wait in the database for room in their task queue.
    public struct Backlog: Sendable {
        /// The queue.
        public let queue: TaskQueueKey
        /// The number of tasks.
        public let tasks: Int64
        /// When the oldest came, in nanoseconds since 1970.
        public let oldest: Int64
    }

    /// Who owns a shard.
    public struct Lease: Sendable {
        /// The shard.
        public let shard: Int32
        /// The owner's node; empty for none.
        public let node: String
        /// The owner's process.
        public let owner: String
        /// How often the shard was taken.
        public let epoch: Int64
        /// For how long the lease is still good, in seconds; negative when it has ended.
        public let secondsLeft: Double
    }

    /// Open workflows by namespace.
    public var openWorkflows: [Int32: Int64] = [:]
    /// Open runs that undo what their steps did, by namespace.
    public var compensatingSagas: [Int32: Int64] = [:]
    /// Runs that have failed to, by namespace; those that are kept.
    public var uncompensatedSagas: [Int32: Int64] = [:]
    /// Runs that are out of memory until their alarm.
    public var parkedRuns: Int64 = 0
    /// When the oldest alarm was due, in nanoseconds since 1970; nil without any.
    public var oldestAlarm: Int64?
    /// The largest backlogs first; at most 50.
    public var backlogs: [Backlog] = []
    /// Records that are not known to be published, by shard.
    public var unpublished: [Int32: Int64] = [:]
    /// Records that the broker refuses for good.
    public var deadEvents: Int64 = 0
    /// Who owns which shard.
    public var leases: [Lease] = []
    /// The size of the database in bytes.
    public var databaseBytes: Int64 = 0
    /// The age of the oldest open transaction, in seconds. It keeps PostgreSQL from cleaning up.
    public var oldestTransaction: Double = 0
    /// Sessions of the database, and the most that the server takes.
    public var sessions: (open: Int64, limit: Int64) = (0, 0)

    init() {}
}
