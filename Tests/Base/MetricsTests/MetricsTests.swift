import SagamoreMetrics
import Testing

@Suite struct MetricsTests {
    @Test func metricsAreWrittenAsPrometheusReadsThem() {
        let registry = MetricsRegistry()
        registry.counter("sagas", "Sagas \\ by\nend.", labels: ["end": "passed"]).increment(by: 3)
        registry.counter("sagas", "Sagas \\ by\nend.", labels: ["end": "a \"b\"\\\n"]).increment()
        registry.ask("temperature", "In degrees.") { [([], -1.5)] }
        registry.ask("age", "In seconds.", labels: ["of"]) { [(["a"], 1), (["b"], .infinity)] }
        registry.ask("cpu_seconds", "CPU time.", kind: "counter") { [([], 0.25)] }
        let times = registry.histogram("time_seconds", "Of a call.", bounds: [1_000_000, 5_000_000], divisor: 1e9)
        times.record(1_000_000)
        times.record(2_000_000)
        times.record(1_000_000_000)
        #expect(
            registry.text() == #"""
                # HELP age In seconds.
                # TYPE age gauge
                age{of="a"} 1
                age{of="b"} +Inf
                # HELP cpu_seconds_total CPU time.
                # TYPE cpu_seconds_total counter
                cpu_seconds_total 0.25
                # HELP sagas_total Sagas \\ by\nend.
                # TYPE sagas_total counter
                sagas_total{end="a \"b\"\\\n"} 1
                sagas_total{end="passed"} 3
                # HELP temperature In degrees.
                # TYPE temperature gauge
                temperature -1.5
                # HELP time_seconds Of a call.
                # TYPE time_seconds histogram
                time_seconds_bucket{le="0.001"} 1
                time_seconds_bucket{le="0.005"} 2
                time_seconds_bucket{le="+Inf"} 3
                time_seconds_sum 1.003
                time_seconds_count 3

                """#
        )
    }

    @Test func theSameLabelsAreTheSameSeries() {
        let registry = MetricsRegistry()
        for _ in 0..<2 { registry.counter("c", "C.", labels: ["a": "1"]).increment() }
        #expect(registry.counter("c", "C.", labels: ["a": "1"]).value == 2)
    }

    /// Names that users choose must not fill the memory.
    @Test func aFamilyHasABoundedNumberOfSeries() {
        let registry = MetricsRegistry()
        for number in 0..<2_000 { registry.counter("c", "C.", labels: ["queue": "\(number)"]).increment() }
        let lines = registry.text().split(separator: "\n")
        #expect(lines.count <= MetricsRegistry.mostSeries + 3)
        #expect(lines.contains("c_total{queue=\"other\"} \(2_000 - MetricsRegistry.mostSeries)"))
    }

    @Test func countersCountOnManyThreads() async {
        let counter = Counter()
        let histogram = Histogram(bounds: Histogram.sizes)
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<8 {
                group.addTask {
                    for value in 0..<10_000 {
                        counter.increment()
                        histogram.record(Int64(value))
                    }
                }
            }
        }
        #expect(counter.value == 80_000)
        #expect(histogram.snapshot.cumulative.last == 80_000)
    }
}
