internal import Synchronization

/// A number that only grows: events since the start of the process.
public final class Counter: Sendable {
    private let count = Atomic<Int64>(0)

    /// A counter that nobody reads.
    public init() {}

    /// Adds to the number.
    public func increment(by amount: Int64 = 1) { count.add(amount, ordering: .relaxed) }

    /// The number so far.
    public var value: Int64 { count.load(ordering: .relaxed) }
}

/// How often a value was at most each of some bounds, and the sum of all values: sizes, or times in nanoseconds.
public final class Histogram: Sendable {
    /// The upper bounds of the buckets, in the unit of the values, ascending.
    public let bounds: [Int64]
    private let counts: [Bucket]
    private let total = Atomic<Int64>(0)

    private final class Bucket: Sendable {
        let count = Atomic<Int64>(0)
    }

    /// A histogram that nobody reads.
    public init(bounds: [Int64]) {
        precondition(bounds == bounds.sorted() && !bounds.isEmpty, "bounds ascend")
        self.bounds = bounds
        counts = (0...bounds.count).map { _ in Bucket() }
    }

    /// Counts a value.
    public func record(_ value: Int64) {
        let place = bounds.firstIndex { value <= $0 } ?? bounds.count
        counts[place].count.add(1, ordering: .relaxed)
        total.add(value, ordering: .relaxed)
    }

    /// The number of values up to each bound, and of all; and their sum.
    public var snapshot: (cumulative: [Int64], sum: Int64) {
        var sum: Int64 = 0
        let cumulative = counts.map { bucket in
            sum += bucket.count.load(ordering: .relaxed)
            return sum
        }
        return (cumulative, total.load(ordering: .relaxed))
    }
}

extension Histogram {
    /// Bounds for times, in nanoseconds: 1 ms to 10 s, and a minute.
    public static let times: [Int64] = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 60_000]
        .map { $0 * 1_000_000 }
    /// Bounds for sizes of batches.
    public static let sizes: [Int64] = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000]
}
