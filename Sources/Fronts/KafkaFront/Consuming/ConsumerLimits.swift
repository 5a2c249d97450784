/// Bounds on the commands that are read and not durable yet. A record weighs 1, plus 1 for each 4 KiB of its value.
public struct ConsumerLimits: Sendable {
    /// The weight of one partition's records in memory at which the partition is paused.
    public var perPartition = 2_000
    /// The weight of all records in memory at which all partitions are paused.
    public var inAll = 10_000
    /// The weight of the records submitted to one shard and not answered; the others wait in memory. A client's request
    /// finds at most these ahead of it, which is a quarter of a commit batch, while the shard still has enough to look
    /// up commands and to commit others at the same time.
    public var perShard = 1_024
    /// Failures for a reason that will not pass, after which a command becomes a dead letter and its partition goes on.
    public var failures = 8

    /// The defaults.
    public init() {}
}
