public import SagamoreEngine
public import SagamorePersistence
public import SagamoreServices

/// The configuration of the history service.
public struct HistoryConfiguration: Sendable {
    /// The shard of each slice, as stored in the database.
    public var slices: SliceTable
    /// The configured name of this node. A new process with the same name takes its shards at once.
    public var node: String
    /// The limits of one run, which may change.
    public var limitsInForce = LimitsInForce()
    /// The limits of one run as they are now. To set them is to have limits of one's own.
    public var limits: Limits {
        get { limitsInForce.current }
        set { limitsInForce = LimitsInForce(newValue) }
    }
    /// An idle run leaves memory after this time, when nothing is due for it within `alarmHorizon`.
    public var parkAfter = Interval.seconds(1)
    /// How long before their alarm parked runs return to memory.
    public var alarmHorizon = Interval.seconds(10)
    /// The least time that workers get to report after an outage in which they could not (another owner, PostgreSQL
    /// away).
    public var recoveryGrace = Interval.seconds(10)
    /// How many transitions may wait for a shard's commit lane before new work is refused.
    public var laneQueueLimit = 50_000
    /// The most rows of one transaction.
    public var batchRowLimit = 4_000
    /// The size of a commit lane's batch, in bytes of rows, at which it takes no more. Default: 8 MiB.
    public var batchByteLimit = 8 << 20
    /// The shortest time between two writes of heartbeat details.
    public var heartbeatFlush = Interval.seconds(5)
    /// How long executed commands are remembered. A command that is repeated later would be executed again.
    public var inboxRetention = Interval.seconds(7 * 86_400)
    /// The time between two passes of retention.
    public var retentionPeriod = Interval.seconds(30)
    /// The longest wait of a long poll for history.
    public var historyWait = Interval.seconds(20)

    /// Bounds of one turn of a loader, and of one hold of a shard's lock.
    package var bounds = WorkBounds()

    /// A configuration with the defaults of everything else.
    public init(slices: SliceTable, node: String) {
        self.slices = slices
        self.node = node
    }

    /// A configuration for a new database with this many shards.
    public init(shardCount: Int, node: String) {
        self.init(slices: .even(over: shardCount), node: node)
    }
}
