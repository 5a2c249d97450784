public import SagamoreProtobuf

/// A point in time: nanoseconds since 1970-01-01T00:00:00Z. Always passed in; the engine reads no clock.
public struct Instant: Hashable, Comparable, Sendable {
    /// Nanoseconds since 1970-01-01T00:00:00Z.
    public var nanoseconds: Int64

    public init(nanoseconds: Int64) {
        self.nanoseconds = nanoseconds
    }

    /// The same point in time; values that 64 bits cannot hold are clamped.
    public init(_ timestamp: ProtobufTimestamp) {
        let (product, overflow) = timestamp.seconds.multipliedReportingOverflow(by: 1_000_000_000)
        nanoseconds = overflow ? (timestamp.seconds < 0 ? .min : .max) : product &+ Int64(timestamp.nanos)
    }

    /// The latest point in time, which means "never".
    public static let distantFuture = Instant(nanoseconds: .max)
    /// The earliest point in time.
    public static let distantPast = Instant(nanoseconds: .min)

    public static func < (left: Instant, right: Instant) -> Bool {
        left.nanoseconds < right.nanoseconds
    }

    /// The instant `interval` later; saturates at the end of time.
    public static func + (instant: Instant, interval: Interval) -> Instant {
        let (sum, overflow) = instant.nanoseconds.addingReportingOverflow(interval.nanoseconds)
        return overflow ? (interval.nanoseconds < 0 ? .distantPast : .distantFuture) : Instant(nanoseconds: sum)
    }

    /// The time from `right` to `left`, negative when `left` is earlier.
    public static func - (left: Instant, right: Instant) -> Interval {
        let (difference, overflow) = left.nanoseconds.subtractingReportingOverflow(right.nanoseconds)
        return Interval(nanoseconds: overflow ? (left > right ? .max : .min) : difference)
    }

    /// The point in time for the wire.
    public var timestamp: ProtobufTimestamp {
        var timestamp = ProtobufTimestamp()
        var (seconds, nanos) = nanoseconds.quotientAndRemainder(dividingBy: 1_000_000_000)
        if nanos < 0 {
            seconds -= 1
            nanos += 1_000_000_000
        }
        timestamp.seconds = seconds
        timestamp.nanos = Int32(nanos)
        return timestamp
    }
}

/// A length of time in nanoseconds. Zero means "not set" where a timeout is meant.
public struct Interval: Hashable, Comparable, Sendable {
    /// The length in nanoseconds.
    public var nanoseconds: Int64

    public init(nanoseconds: Int64) {
        self.nanoseconds = nanoseconds
    }

    /// Converts a duration from the wire. Missing, zero and negative values become zero ("not set"); huge ones
    /// saturate.
    public init(_ duration: ProtobufDuration?) {
        guard let duration, duration.seconds >= 0, duration.nanos >= 0 else {
            nanoseconds = 0
            return
        }
        let (product, overflow) = duration.seconds.multipliedReportingOverflow(by: 1_000_000_000)
        let (sum, second) = product.addingReportingOverflow(Int64(duration.nanos))
        nanoseconds = overflow || second ? .max : sum
    }

    /// Zero, which means "not set" for timeouts.
    public static let zero = Interval(nanoseconds: 0)

    /// An interval of `count` milliseconds.
    public static func milliseconds(_ count: Int64) -> Interval { Interval(nanoseconds: count * 1_000_000) }
    /// An interval of `count` seconds.
    public static func seconds(_ count: Int64) -> Interval { Interval(nanoseconds: count * 1_000_000_000) }

    public static func < (left: Interval, right: Interval) -> Bool {
        left.nanoseconds < right.nanoseconds
    }

    /// Whether it is positive: zero and negative timeouts mean "none".
    public var isSet: Bool { nanoseconds > 0 }

    /// This interval, capped by `limit` if that is set. An unset interval becomes the limit.
    public func capped(by limit: Interval) -> Interval {
        guard limit.isSet else { return self }
        return isSet ? min(self, limit) : limit
    }

    /// The length for the wire.
    public var duration: ProtobufDuration {
        var duration = ProtobufDuration()
        let (seconds, nanos) = nanoseconds.quotientAndRemainder(dividingBy: 1_000_000_000)
        duration.seconds = seconds
        duration.nanos = Int32(nanos)
        return duration
    }
}
