/// Settings of the sessions that lanes and loaders use.
///
/// A session plans each statement once, possibly while the tables are still empty, and keeps the plan. So plans that
/// are good only for empty tables are disabled: rows are always found through their index.
public enum SessionSettings {
    /// A lane acknowledges what it commits, so commits wait for the flush of the log.
    public static let lane = plans + [("synchronous_commit", "on")] + halfOpen
    /// Loaders read, and delete what is past its retention.
    public static let loader = plans
    /// A publisher's position that a crash loses is read from the broker.
    public static let publisher = plans + [("synchronous_commit", "off")]

    /// The server gives up a lane's session whose client is gone or silent within 11 s: an open transaction holds its
    /// shard's row, and nobody else could take the shard. The keepalives concern TCP only.
    private static let halfOpen: [(name: String, value: String)] = [
        ("tcp_keepalives_idle", "5"),
        ("tcp_keepalives_interval", "2"),
        ("tcp_keepalives_count", "3"),
        ("tcp_user_timeout", "10s"),
        ("idle_in_transaction_session_timeout", "10s"),
    ]

    private static let plans: [(name: String, value: String)] = [
        ("plan_cache_mode", "force_generic_plan"),
        ("enable_seqscan", "off"),
        ("enable_hashjoin", "off"),
        ("enable_mergejoin", "off"),
    ]
}
