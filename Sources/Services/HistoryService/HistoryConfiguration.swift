public import SagamoreEngine
public import SagamorePersistence

/// What can be set about the history service.
public struct HistoryConfiguration: Sendable {
    /// Which shard has which slice, as the database has it.
    public var slices: SliceTable
    /// The configured name of this node: a new process of the same name takes its shards at once.
    public var node: String
    /// The bounds on what one run may hold.
    public var limits = Limits()
    /// An idle run leaves memory after this time, when nothing is due for it within `alarmHorizon`.
    public var parkAfter = Interval.seconds(1)
    /// Parked runs come back to memory so long before their alarm.
    public var alarmHorizon = Interval.seconds(10)
    /// After a time in which workers could not report (another owner, PostgreSQL away) they get at least so long for
    /// it.
    public var recoveryGrace = Interval.seconds(10)
    /// Transitions that may wait for a shard's commit lane before new work is refused.
    public var laneQueueLimit = 50_000
    /// Rows of one transaction, and bytes.
    public var batchRowLimit = 4_000
    /// The size of a commit lane's batch, in bytes of rows, at which it takes no more. Default: 8 MiB.
    public var batchByteLimit = 8 << 20
    /// Heartbeat details are written at most once in this time.
    public var heartbeatFlush = Interval.seconds(5)
    /// How long the traces of commands are kept: a command that comes again later would be carried out again.
    public var inboxRetention = Interval.seconds(7 * 86_400)
    /// How often what is past its retention is deleted.
    public var retentionPeriod = Interval.seconds(30)
    /// How long a long poll for history waits at most.
    public var historyWait = Interval.seconds(20)

    /// A configuration with the defaults of everything else.
    public init(slices: SliceTable, node: String) {
        self.slices = slices
        self.node = node
    }

    /// A configuration for the database as it was made, with so many shards.
    public init(shardCount: Int, node: String) {
        self.init(slices: .even(over: shardCount), node: node)
    }
}
