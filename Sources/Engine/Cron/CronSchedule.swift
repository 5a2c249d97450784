internal import SagamoreJSONText

/// A cron schedule: `[CRON_TZ=ZONE] MINUTE HOUR DAY MONTH WEEKDAY`, a descriptor like `@daily`, or `@every DURATION`.
///
/// It names the same times as the schedules of robfig/cron for Go, which Temporal uses.
public struct CronSchedule: Sendable {
    private enum Form {
        case calendar(CronFields)
        /// Seconds, at least 1.
        case every(Int64)
    }

    private let form: Form
    private let zone: TimeZoneRules

    /// Parses a schedule. Returns nil if it is invalid, or names an unknown time zone.
    public init?(_ text: String, _ zones: TimeZones) {
        var rest = Substring(text)
        var zone = TimeZoneRules.universal
        for prefix in ["TZ=", "CRON_TZ="] where rest.hasPrefix(prefix) {
            guard let space = rest.firstIndex(of: " ") else { return nil }
            let name = rest[rest.index(rest.startIndex, offsetBy: prefix.count)..<space]
            guard let rules = zones.rules(String(name)) else { return nil }
            zone = rules
            rest = rest[space...].drop(while: \.isWhitespace)
            while rest.last?.isWhitespace == true { rest.removeLast() }
            break
        }
        guard let form = rest.hasPrefix("@") ? Self.descriptor(rest) : CronFields(rest).map(Form.calendar) else {
            return nil
        }
        self.form = form
        self.zone = zone
    }

    private static func descriptor(_ text: Substring) -> Form? {
        let every = "@every "
        if text.hasPrefix(every) {
            guard let duration = GoDuration.parse(String(text.dropFirst(every.count))) else { return nil }
            return .every(max(duration.components.seconds, 1))
        }
        let fields: Substring
        switch text {
        case "@yearly", "@annually": fields = "0 0 1 1 *"
        case "@monthly": fields = "0 0 1 * *"
        case "@weekly": fields = "0 0 * * 0"
        case "@daily", "@midnight": fields = "0 0 * * *"
        case "@hourly": fields = "0 * * * *"
        default: return nil
        }
        return CronFields(fields).map(Form.calendar)
    }

    /// Whether the schedule names any time: `0 0 30 2 *` does not.
    var hasTimes: Bool {
        // The calendar repeats after 400 years; a search covers the five that follow a time.
        stride(from: Int64(0), to: 8, by: 4).contains { next(afterSecond: $0 * 366 * 86_400) != nil }
    }

    /// The first time of the schedule behind an instant, in whole seconds; nil if there is none within five years.
    public func next(after instant: Instant) -> Instant? {
        next(afterSecond: floor(instant)).flatMap { Self.instant($0) }
    }

    /// How long to wait for the next time, in whole seconds, rounded up.
    ///
    /// - Parameter since: the time of the schedule that has passed. If it has not, it is the next one.
    public func backoff(since: Instant, at now: Instant) -> Interval? {
        guard let next = now < since ? since : next(behind: since, notBefore: now) else { return nil }
        let nanoseconds = (next - now).nanoseconds
        return .seconds(nanoseconds / 1_000_000_000 + (nanoseconds % 1_000_000_000 > 0 ? 1 : 0))
    }

    private func next(behind since: Instant, notBefore now: Instant) -> Instant? {
        guard let first = next(after: since) else { return nil }
        guard first < now else { return first }
        switch form {
        case .calendar: return next(after: Instant(nanoseconds: now.nanoseconds - 1))
        case .every(let seconds):
            let missing = (now - first).nanoseconds
            let step = Interval.seconds(seconds).nanoseconds
            return first + Interval(nanoseconds: (missing + step - 1) / step * step)
        }
    }

    private func next(afterSecond second: Int64) -> Int64? {
        switch form {
        case .calendar(let fields): fields.next(after: second, in: zone)
        case .every(let seconds): second + seconds
        }
    }

    private func floor(_ instant: Instant) -> Int64 {
        let (quotient, remainder) = instant.nanoseconds.quotientAndRemainder(dividingBy: 1_000_000_000)
        return remainder < 0 ? quotient - 1 : quotient
    }

    private static func instant(_ second: Int64) -> Instant? {
        let (nanoseconds, overflow) = second.multipliedReportingOverflow(by: 1_000_000_000)
        return overflow ? nil : Instant(nanoseconds: nanoseconds)
    }
}
