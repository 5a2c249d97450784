public import SagamoreMetrics

/// What the service of schedules counts.
public struct ScheduleMetrics: Sendable {
    let started: Counter
    let refused: Counter
    let conflicts: Counter
    let lateness: Histogram

    /// Counters of a registry; without one, of nobody.
    public init(_ registry: MetricsRegistry = MetricsRegistry()) {
        let help = "Actions of schedules, by what came of them."
        started = registry.counter("sagamore_schedule_actions", help, labels: ["outcome": "started"])
        refused = registry.counter("sagamore_schedule_actions", help, labels: ["outcome": "refused"])
        conflicts = registry.counter(
            "sagamore_schedule_conflicts",
            "Writes of schedules that another process had changed."
        )
        lateness = registry.histogram(
            "sagamore_schedule_lateness_seconds",
            "Time from the moment that a schedule names to the decision of its action.",
            bounds: Histogram.times,
            divisor: 1e9
        )
    }
}
