internal import SagamoreAPI
public import SagamoreEngine
internal import SagamoreProtobuf

/// The times that a spec names.
public struct ScheduleTimes: Sendable {
    /// A time of a schedule.
    public struct Time: Equatable, Sendable {
        /// As the spec says, in whole seconds.
        public let nominal: Instant
        /// With the jitter, in whole milliseconds.
        public let jittered: Instant
    }

    private let calendars: [CalendarTimes]
    private let excluded: [CalendarTimes]
    /// Whole seconds.
    private let intervals: [(length: Int64, phase: Int64)]
    private let zone: TimeZoneRules
    private let start: Instant?
    private let end: Instant?
    private let jitter: Interval
    private let seed: UInt64

    /// - Parameters:
    ///   - spec: a canonical spec.
    ///   - seed: what the jitter depends on beside the time.
    init(_ spec: ScheduleSpec, seed: String, _ zones: TimeZones) throws(SpecError) {
        zone = try spec.zoneRules(zones)
        calendars = spec.structuredCalendar.map { CalendarTimes($0) }
        excluded = spec.excludeStructuredCalendar.map { CalendarTimes($0) }
        intervals = spec.interval.map { interval in
            (max(interval.interval?.seconds ?? 1, 1), max(interval.phase?.seconds ?? 0, 0))
        }
        start = spec.startTime.map { Instant($0) }
        end = spec.endTime.map { Instant($0) }
        jitter = Interval(spec.jitter)
        self.seed = ScheduleTimes.hash(seed.utf8, from: 14_695_981_039_346_656_037)
    }

    /// No times.
    public static let none = ScheduleTimes()

    private init() {
        (calendars, excluded, intervals) = ([], [], [])
        (zone, start, end, jitter, seed) = (.universal, nil, nil, .zero, 0)
    }

    /// The last second that a calendar may name.
    private static let lastSecond = CivilTime.days(year: 2_101, month: 1) * 86_400 - 1
    /// How many excluded times are passed over before the search is given up: the days of ten years, as a whole
    /// excluded day counts once. The search is made by the thread of all schedules.
    private static let mostExcluded = 4_000

    /// The first time whose nominal second comes behind an instant; nil if there is none.
    public func next(after instant: Instant) -> Time? {
        var after = instant
        if let start { after = max(after, start + Interval.seconds(-1)) }
        var second = Self.floor(after)
        for _ in 0..<Self.mostExcluded {
            guard let nominal = rawNext(after: second) else { return nil }
            if let end, Self.instant(nominal) > end { return nil }
            guard let pass = exclusion(of: nominal) else {
                return Time(nominal: Self.instant(nominal), jittered: jittered(nominal))
            }
            second = pass
        }
        return nil
    }

    /// The last second of the excluded time around a second; nil if it is not excluded.
    private func exclusion(of second: Int64) -> Int64? {
        if excluded.isEmpty { return nil }
        let time = CivilTime(second: second, in: zone)
        return excluded.filter { $0.matches(time) }.map { $0.lastMatch(time, in: zone) }.max()
    }

    private func rawNext(after second: Int64) -> Int64? {
        var least = Int64.max
        for calendar in calendars {
            if let next = calendar.next(after: second, in: zone) { least = min(least, next) }
        }
        for interval in intervals {
            let (passed, overflow) = (second - interval.phase).subtractingReportingOverflow(0)
            if overflow { continue }
            let count = passed >= 0 ? passed / interval.length : (passed + 1) / interval.length - 1
            let (product, tooFar) = (count + 1).multipliedReportingOverflow(by: interval.length)
            if !tooFar { least = min(least, product.addingReportingOverflow(interval.phase).partialValue) }
        }
        return least <= Self.lastSecond ? least : nil
    }

    private func jittered(_ nominal: Int64) -> Instant {
        let at = Self.instant(nominal)
        guard jitter.isSet else { return at }
        var most = jitter
        // No time is moved past the next one.
        if let following = rawNext(after: nominal) { most = min(most, .seconds(following - nominal)) }
        let milliseconds = UInt64(min(most.nanoseconds / 1_000_000, Int64(UInt32.max)))
        var bytes: [UInt8] = []
        for shift in stride(from: 0, to: 64, by: 8) { bytes.append(UInt8(truncatingIfNeeded: nominal >> shift)) }
        let chance = Self.mixed(Self.hash(bytes, from: seed)) >> 32
        return at + .milliseconds(Int64((chance * milliseconds) >> 32))
    }

    /// FNV-1a.
    private static func hash(_ bytes: some Sequence<UInt8>, from basis: UInt64) -> UInt64 {
        bytes.reduce(basis) { ($0 ^ UInt64($1)) &* 1_099_511_628_211 }
    }

    /// Spreads a hash over its upper half.
    private static func mixed(_ hash: UInt64) -> UInt64 {
        var mixed = (hash ^ hash >> 33) &* 0xff51_afd7_ed55_8ccd
        mixed = (mixed ^ mixed >> 33) &* 0xc4ce_b9fe_1a85_ec53
        return mixed ^ mixed >> 33
    }

    private static func floor(_ instant: Instant) -> Int64 {
        let (quotient, remainder) = instant.nanoseconds.quotientAndRemainder(dividingBy: 1_000_000_000)
        return remainder < 0 ? quotient - 1 : quotient
    }

    /// Clamped: years behind 2262 are beyond 64 bits of nanoseconds, and none is named.
    private static func instant(_ second: Int64) -> Instant { Instant(nanoseconds: 0) + .seconds(second) }
}

extension ScheduleTimes {
    /// The times whose jittered instants lie behind `start` and not behind `end`, at most `limit` of them.
    public func matching(from start: Instant, to end: Instant, limit: Int) -> [Instant] {
        var times: [Instant] = []
        var after = start
        while times.count < limit, after < end, let time = next(after: after), time.jittered <= end {
            times.append(time.jittered)
            after = time.nominal
        }
        return times
    }
}
