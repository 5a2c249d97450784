public import SagamoreMetrics

/// What the history service counts.
public struct HistoryMetrics: Sendable {
    let commits: Histogram
    let batches: Histogram
    let failures: Counter

    /// Counters of a registry; without one, of nobody.
    public init(_ registry: MetricsRegistry = MetricsRegistry()) {
        commits = registry.histogram(
            "sagamore_commit_seconds",
            "Time of the transactions in which lanes commit.",
            bounds: Histogram.times,
            divisor: 1e9
        )
        batches = registry.histogram(
            "sagamore_commit_items",
            "Requests, commands and timers that a transaction of a lane commits.",
            bounds: Histogram.sizes
        )
        failures = registry.counter(
            "sagamore_commit_failures",
            "Transactions of lanes that failed, or whose outcome was not heard."
        )
    }
}

/// What a shard looks like now.
public struct ShardFigures: Sendable {
    /// The shard's number.
    public let id: Int32
    /// Whether this process owns it.
    public let isOwned: Bool
    /// Workflows in memory.
    public let workflows: Int
    /// Items that wait for a commit.
    public let queuedItems: Int
}
