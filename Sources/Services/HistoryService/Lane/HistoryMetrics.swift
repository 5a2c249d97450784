internal import SagamoreEngine
public import SagamoreMetrics

/// What the history service counts.
public struct HistoryMetrics: Sendable {
    let commits: Histogram
    let batches: Histogram
    let failures: Counter
    private let events: [StatusEvent.Status: Counter]
    private let sagas: Histogram
    private let registry: MetricsRegistry

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
        events = Dictionary(
            uniqueKeysWithValues: StatusEvent.Status.allCases.map { status in
                let help = "Events about commands, by status, when they are committed."
                return (status, registry.counter("sagamore_events", help, labels: ["status": status.rawValue]))
            }
        )
        sagas = registry.histogram(
            "sagamore_saga_seconds",
            "Time from the start of a saga's last run to the event that ends it.",
            bounds: Histogram.sagas,
            divisor: 1e9
        )
        self.registry = registry
    }
}

extension HistoryMetrics {
    func count(_ outcome: SagaOutcome) {
        for status in outcome.statuses { events[status]?.increment() }
        if let duration = outcome.duration { sagas.record(duration.nanoseconds) }
    }

    /// A saga has failed to compensate.
    func countUncompensated(in namespace: String) {
        let help = "Sagas that failed to compensate: what they did stands, and somebody has to look at them."
        registry.counter("sagamore_compensation_failures", help, labels: ["namespace": namespace]).increment()
    }
}

extension Histogram {
    /// Bounds for times of sagas, which may take days, in nanoseconds: 10 ms to a week.
    static let sagas: [Int64] = [
        10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 30_000, 60_000, 300_000, 1_800_000, 3_600_000,
        21_600_000, 86_400_000, 604_800_000,
    ]
    .map { $0 * 1_000_000 }
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
