import Glibc

/// The processor time that this process has used, in nanoseconds: other processes on the machine do not count.
func processorTime() -> Int64 {
    var time = timespec()
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
    return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
}

/// The least processor time of `body` over a few rounds, in microseconds for each of `count` operations.
///
/// - Parameter prepare: makes what a round uses up; not measured.
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

/// A JSON object with figures, three digits behind the point, in the order given.
func json(_ figures: [(name: String, value: Double)]) -> String {
    let members = figures.map { name, value in
        let thousandths = Int64((value * 1_000).rounded())
        let digits = String(thousandths % 1_000)
        return "  \"\(name)\": \(thousandths / 1_000).\(String(repeating: "0", count: 3 - digits.count))\(digits)"
    }
    return "{\n" + members.joined(separator: ",\n") + "\n}"
}
