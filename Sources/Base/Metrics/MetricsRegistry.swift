internal import SagamoreThreads

/// All metrics of a process, by name. Prometheus reads them as text.
///
/// A name with labels is a family: each combination of values that occurs is a series of its own. A family has at most
/// ``mostSeries`` of them, so that no name that users choose can fill the memory; what comes later is counted together,
/// with the value `other` for each label.
public final class MetricsRegistry: Sendable {
    /// The most series of a family.
    public static let mostSeries = 500

    enum Instrument: Sendable {
        case counter(Counter)
        case histogram(Histogram, divisor: Double)
    }

    struct Family: Sendable {
        let help: String
        let kind: String
        let labels: [String]
        var series: [[String]: Instrument] = [:]
        /// Values that are asked for when somebody reads.
        var ask: @Sendable () -> [(labels: [String], value: Double)] = { [] }
    }

    private let families = Locked<[String: Family]>([:])

    /// A registry without metrics.
    public init() {}

    /// A counter. Asked for again with the same labels, it is the same one.
    ///
    /// - Parameters:
    ///   - name: by Prometheus' rules, without `_total`.
    ///   - labels: names with values, always the same names in the same order.
    public func counter(_ name: String, _ help: String, labels: KeyValuePairs<String, String> = [:]) -> Counter {
        let made = instrument(name, help, "counter", labels) { .counter(Counter()) }
        guard case .counter(let counter) = made else { preconditionFailure("'\(name)' is no counter") }
        return counter
    }

    /// Gauges whose values are asked for when somebody reads. The function is called on the reader's thread.
    ///
    /// - Parameter kind: `gauge`, or `counter` for numbers that only grow.
    public func ask(
        _ name: String,
        _ help: String,
        kind: String = "gauge",
        labels: [String] = [],
        _ values: @escaping @Sendable () -> [(labels: [String], value: Double)]
    ) {
        families.withLock { $0[name] = Family(help: help, kind: kind, labels: labels, ask: values) }
    }

    /// A histogram.
    ///
    /// - Parameters:
    ///   - bounds: of the buckets, in the unit in which values are recorded.
    ///   - divisor: what a value is divided by when it is read: 1e9 for nanoseconds that are read as seconds.
    public func histogram(
        _ name: String,
        _ help: String,
        bounds: [Int64],
        divisor: Double = 1,
        labels: KeyValuePairs<String, String> = [:]
    ) -> Histogram {
        let made = instrument(name, help, "histogram", labels) {
            .histogram(Histogram(bounds: bounds), divisor: divisor)
        }
        guard case .histogram(let histogram, _) = made else { preconditionFailure("'\(name)' is no histogram") }
        return histogram
    }

    private func instrument(
        _ name: String,
        _ help: String,
        _ kind: String,
        _ labels: KeyValuePairs<String, String>,
        _ make: () -> Instrument
    ) -> Instrument {
        families.withLock { families in
            var values = labels.map(\.value)
            // Mostly it is there: nothing is copied then.
            if let known = families[name]?.series[values] { return known }
            var family = families[name] ?? Family(help: help, kind: kind, labels: labels.map(\.key))
            precondition(family.labels == labels.map(\.key), "'\(name)' has other labels")
            if family.series[values] == nil, family.series.count >= Self.mostSeries {
                values = values.map { _ in "other" }
            }
            let instrument = family.series[values] ?? make()
            family.series[values] = instrument
            families[name] = family
            return instrument
        }
    }

    /// All metrics in Prometheus' text format (version 0.0.4), in the order of their names.
    public func text() -> String {
        var writer = PrometheusText()
        for (name, family) in families.withLock({ $0 }).sorted(by: { $0.key < $1.key }) {
            writer.begin(name, family)
            for (values, value) in family.ask() { writer.write(name, family, values, value) }
            for (values, instrument) in family.series.sorted(by: { $0.key.lexicographicallyPrecedes($1.key) }) {
                writer.write(name, family.labels, values, instrument)
            }
        }
        return writer.text
    }
}
