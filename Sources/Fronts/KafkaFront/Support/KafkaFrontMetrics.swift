internal import SagamoreEngine
internal import SagamoreKafkaClient
public import SagamoreMetrics
internal import SagamoreServices

/// What the Kafka front counts.
public struct KafkaFrontMetrics: Sendable {
    private let registry: MetricsRegistry
    private let delays: Histogram

    /// Counters of a registry; without one, of nobody.
    public init(_ registry: MetricsRegistry = MetricsRegistry()) {
        self.registry = registry
        delays = registry.histogram(
            "sagamore_command_seconds",
            "Time from a command's record, by its producer's or the broker's clock, to its effect being stored.",
            bounds: Histogram.times,
            divisor: 1e9
        )
    }

    func stored(after delay: Interval) { delays.record(max(0, delay.nanoseconds)) }

    /// How far a consumer is behind the end of its partitions, asked for when somebody reads.
    func ask(lag: @escaping @Sendable () -> [(partition: KafkaPartition, records: Int64)]) {
        registry.ask(
            "sagamore_command_lag",
            "Records of command topics whose effect is not stored yet, by partition.",
            labels: ["topic", "partition"]
        ) {
            lag().map { ([$0.partition.topic, "\($0.partition.partition)"], Double($0.records)) }
        }
    }

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

    func halted(shard: Int32) {
        registry.counter(
            "sagamore_publisher_halts",
            "Publishers that have stopped for good, since what they know and what Kafka knows do not fit.",
            labels: ["shard": "\(shard)"]
        ).increment()
    }

    func foundLoss(shard: Int32) {
        registry.counter(
            "sagamore_database_losses",
            "Times that Kafka had records which the database has lost: it was restored, or a standby took over.",
            labels: ["shard": "\(shard)"]
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
