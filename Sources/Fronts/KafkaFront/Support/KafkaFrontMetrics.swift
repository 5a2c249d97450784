internal import SagamoreEngine
public import SagamoreMetrics
internal import SagamoreServices

/// What the Kafka front counts.
public struct KafkaFrontMetrics: Sendable {
    private let registry: MetricsRegistry

    /// Counters of a registry; without one, of nobody.
    public init(_ registry: MetricsRegistry = MetricsRegistry()) { self.registry = registry }

    func answered(_ outcome: Result<CommandOutcome, RequestError>, topic: String) {
        let word =
            switch outcome {
            case .success(.carriedOut): "carried_out"
            case .success(.rejected): "rejected"
            case .success(.duplicate): "duplicate"
            case .failure(let error): error.mayPass ? "retried" : "failed"
            }
        registry.counter(
            "sagamore_kafka_commands",
            "Commands by topic and outcome. Those that are retried come again.",
            labels: ["topic": topic, "outcome": word]
        ).increment()
    }

    func published(_ count: Int, topic: String) {
        registry.counter(
            "sagamore_kafka_records_published",
            "Events and dead letters that are on their topics.",
            labels: ["topic": topic]
        ).increment(by: Int64(count))
    }
}
