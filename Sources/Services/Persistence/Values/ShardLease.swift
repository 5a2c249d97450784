public import SagamoreEngine

/// How long a shard belongs to an owner that does not say so again.
///
/// The database's clock decides when a lease ends, and the owner's steady clock for how long it uses one, so no step of
/// a wall clock on a node matters. What a lease protects are replies that write nothing: everything else is fenced by
/// the epoch, whoever believes to be the owner. A lease that is too short costs a change of owners when a renewal is
/// late, and a long one costs the time until somebody takes over.
public enum ShardLease {
    /// A lease is written for this long ahead.
    public static let length = Interval.seconds(2)
    /// Others respect a lease for this long after its end.
    public static let grace = Interval.seconds(2)
    /// How often an owner renews it. Two renewals may fail.
    public static let renewal = Interval.seconds(1)
    /// How long an owner uses a lease, from the moment before it asked for it: until 500 ms before others may take the
    /// shard. A reply that is under way has left by then.
    public static let use = Interval.milliseconds(3_500)
}
