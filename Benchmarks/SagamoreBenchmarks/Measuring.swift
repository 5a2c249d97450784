import Glibc

/// The CPU time of this process in nanoseconds.
func processorTime() -> Int64 {
    var time = timespec()
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
    return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
}

/// The minimum CPU time of `body` over several rounds, in microseconds per operation.
///
/// - Parameter prepare: creates the input of a round; not measured.
func leastMicroseconds<Prepared>(
    rounds: Int = 7,
    per count: Int,
    prepare: () -> Prepared,
    _ body: (Prepared) -> Void
) -> Double {
    var least = Int64.max
    for _ in 0..<rounds {
        let prepared = prepare()
        let start = processorTime()
        body(prepared)
        least = min(least, processorTime() - start)
    }
    return Double(least) / Double(count) / 1_000
}

/// A JSON object with the figures in the order given, with three decimals.
func json(_ figures: [(name: String, value: Double)]) -> String {
    let members = figures.map { name, value in
        let thousandths = Int64((value * 1_000).rounded())
        let digits = String(thousandths % 1_000)
        return "  \"\(name)\": \(thousandths / 1_000).\(String(repeating: "0", count: 3 - digits.count))\(digits)"
    }
    return "{\n" + members.joined(separator: ",\n") + "\n}"
}
