internal import SagamoreMetrics

/// How often a method was called, how its calls ended, and how long they took.
final class MethodMetrics: Sendable {
    private let registry: MetricsRegistry
    private let operation: String
    private let requests: Counter
    private let latency: Histogram

    init(_ registry: MetricsRegistry, path: String) {
        let operation = path.split(separator: "/").last.map(String.init) ?? path
        (self.registry, self.operation) = (registry, operation)
        requests = registry.counter(
            "service_requests",
            "Calls that were answered, by operation.",
            labels: ["operation": operation]
        )
        latency = registry.histogram(
            "service_latency_seconds",
            "Time from a complete request to its answer, by operation. Polls wait for tasks.",
            bounds: Histogram.times,
            divisor: 1e9,
            labels: ["operation": operation]
        )
    }

    /// - Parameter status: nil for a message.
    func answered(_ status: GRPCStatus?, after nanoseconds: Int64) {
        requests.increment()
        latency.record(nanoseconds)
        guard let status, status.code != .ok else { return }
        registry.counter(
            "service_errors",
            "Calls that were answered with an error, by operation and status.",
            labels: ["operation": operation, "code": "\(status.code)"]
        ).increment()
    }
}
