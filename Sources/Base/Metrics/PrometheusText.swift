/// Writes metrics in Prometheus' text format.
struct PrometheusText {
    private(set) var text = ""

    /// The lines in front of a family. Counters are called `…_total`.
    mutating func begin(_ name: String, _ family: MetricsRegistry.Family) {
        let name = Self.written(name, family)
        text += "# HELP \(name) \(Self.escaped(family.help, quotes: false))\n# TYPE \(name) \(family.kind)\n"
    }

    private static func written(_ name: String, _ family: MetricsRegistry.Family) -> String {
        family.kind == "counter" ? name + "_total" : name
    }

    /// A value that was asked for.
    mutating func write(_ name: String, _ family: MetricsRegistry.Family, _ values: [String], _ value: Double) {
        sample(Self.written(name, family), family.labels, values, value)
    }

    mutating func write(
        _ name: String,
        _ labels: [String],
        _ values: [String],
        _ instrument: MetricsRegistry.Instrument
    ) {
        switch instrument {
        case .counter(let counter): sample(name + "_total", labels, values, Double(counter.value))
        case .histogram(let histogram, let divisor):
            let (cumulative, sum) = histogram.snapshot
            for (index, count) in cumulative.enumerated() {
                let isLast = index == histogram.bounds.count
                let bound = isLast ? "+Inf" : Self.number(Double(histogram.bounds[index]) / divisor)
                sample(name + "_bucket", labels + ["le"], values + [bound], Double(count))
            }
            sample(name + "_sum", labels, values, Double(sum) / divisor)
            sample(name + "_count", labels, values, Double(cumulative.last ?? 0))
        }
    }

    private mutating func sample(_ name: String, _ labels: [String], _ values: [String], _ value: Double) {
        text += name
        if !labels.isEmpty {
            let pairs = zip(labels, values).map { "\($0)=\"\(Self.escaped($1, quotes: true))\"" }
            text += "{\(pairs.joined(separator: ","))}"
        }
        text += " \(Self.number(value))\n"
    }

    private static func number(_ value: Double) -> String {
        if value.isNaN { return "NaN" }
        if value.isInfinite { return value > 0 ? "+Inf" : "-Inf" }
        return value == value.rounded() && abs(value) < 1e15 ? String(Int64(value)) : String(value)
    }

    private static func escaped(_ text: String, quotes: Bool) -> String {
        var escaped = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\\": escaped += "\\\\"
            case "\n": escaped += "\\n"
            case "\"" where quotes: escaped += "\\\""
            default: escaped.unicodeScalars.append(scalar)
            }
        }
        return escaped
    }
}
