/// Settings of the sessions that lanes and loaders use.
///
/// A session plans each statement once and keeps the plan, and it does so when the tables are still empty. So plans that
/// are good only then are forbidden: rows are always found through their index.
public enum SessionSettings {
    public static let lane = plans + [("synchronous_commit", "on")]
    public static let loader = plans
    /// A publisher's position that is lost with a crash is found again on the broker.
    public static let publisher = plans + [("synchronous_commit", "off")]

    private static let plans: [(name: String, value: String)] = [
        ("plan_cache_mode", "force_generic_plan"),
        ("enable_seqscan", "off"),
        ("enable_hashjoin", "off"),
        ("enable_mergejoin", "off"),
    ]
}
