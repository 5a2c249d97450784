/// How much of the command topics may be under way to history at a time.
public struct ConsumerLimits: Sendable {
    /// Of one partition. A record counts once, and once more for every 4 KiB of it.
    public var perPartition = 2_000
    /// Of all partitions together.
    public var inAll = 10_000
    /// A command that fails so often for a reason that will not pass is dead-lettered, so that its partition goes on.
    public var failures = 8

    /// The defaults.
    public init() {}
}
