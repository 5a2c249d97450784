public import Glibc

/// A reading of the monotonic clock, which wall clock changes do not affect. Its zero is arbitrary.
public struct MonotonicTime: Comparable, Hashable, Sendable {
    /// Nanoseconds since the clock's zero.
    public var nanoseconds: Int64

    /// The reading with this many nanoseconds since the clock's zero.
    @inlinable
    public init(nanoseconds: Int64) { self.nanoseconds = nanoseconds }

    /// The current time.
    @inlinable
    public static var now: MonotonicTime {
        var time = Glibc.timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return MonotonicTime(nanoseconds: Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec))
    }

    /// A later time. Negative counts are treated as zero, and overflow saturates.
    @inlinable
    public func advanced(byNanoseconds count: Int64) -> MonotonicTime {
        let (sum, isBeyond) = nanoseconds.addingReportingOverflow(max(0, count))
        return MonotonicTime(nanoseconds: isBeyond ? .max : sum)
    }

    /// The time after `duration`. Negative durations are treated as zero.
    @inlinable
    public static func + (time: MonotonicTime, duration: Duration) -> MonotonicTime {
        let (seconds, attoseconds) = duration.components
        // Capped at 200 years, which cannot overflow.
        let whole = min(seconds, 6_307_200_000) * 1_000_000_000
        return time.advanced(byNanoseconds: whole + attoseconds / 1_000_000_000)
    }

    /// The duration from `earlier` to `time`.
    @inlinable
    public static func - (time: MonotonicTime, earlier: MonotonicTime) -> Duration {
        .nanoseconds(time.nanoseconds - earlier.nanoseconds)
    }

    @inlinable
    public static func < (left: MonotonicTime, right: MonotonicTime) -> Bool { left.nanoseconds < right.nanoseconds }

    /// The time in the form of system calls.
    @inlinable
    public var timespec: timespec {
        let (seconds, rest) = nanoseconds.quotientAndRemainder(dividingBy: 1_000_000_000)
        return Glibc.timespec(tv_sec: Int(seconds), tv_nsec: Int(rest))
    }
}
