internal import SagamoreAPI
internal import SagamoreEngine

/// The times of one calendar: those whose fields all match. A field without ranges matches nothing, but for the year.
struct CalendarTimes: Sendable {
    private let seconds: UInt64
    private let minutes: UInt64
    private let hours: UInt64
    private let days: UInt64
    private let months: UInt64
    private let weekdays: UInt64
    /// Whether each year from the first one on matches; nil for all.
    private let years: [Bool]?

    init(_ calendar: StructuredCalendarSpec) {
        seconds = Self.bits(.second, calendar.second)
        minutes = Self.bits(.minute, calendar.minute)
        hours = Self.bits(.hour, calendar.hour)
        days = Self.bits(.dayOfMonth, calendar.dayOfMonth)
        months = Self.bits(.month, calendar.month)
        weekdays = Self.bits(.dayOfWeek, calendar.dayOfWeek)
        guard !calendar.year.isEmpty else {
            years = nil
            return
        }
        var years = [Bool](repeating: false, count: Self.years.count)
        for year in Self.values(.year, calendar.year) { years[year - Self.years.lowerBound] = true }
        self.years = years
    }

    private static let years = CalendarField.year.bounds

    private static func bits(_ field: CalendarField, _ ranges: [Range]) -> UInt64 {
        values(field, ranges).reduce(0) { $0 | 1 << UInt64($1) }
    }

    /// The values of ranges. Those of excluded calendars are not checked, so some may be none.
    private static func values(_ field: CalendarField, _ ranges: [Range]) -> [Int] {
        ranges.flatMap { range -> [Int] in
            let end = range.end == 0 ? range.start : range.end
            let last = min(Int(end), field.bounds.upperBound)
            let all = stride(from: Int(range.start), through: last, by: max(Int(range.step), 1))
            return range.start < 0 ? [] : all.filter { field.bounds.contains($0) }
        }
    }

    /// Whether a field matches nothing.
    private var isEmpty: Bool {
        [seconds, minutes, hours, days, months, weekdays].contains(0) || years.map { !$0.contains(true) } ?? false
    }

    private static func has(_ bits: UInt64, _ value: Int) -> Bool { bits & 1 << UInt64(value) != 0 }

    private func hasYear(_ year: Int) -> Bool {
        guard let years else { return true }
        return Self.years.contains(year) && years[year - Self.years.lowerBound]
    }

    /// Whether a time matches.
    func matches(_ time: CivilTime) -> Bool {
        Self.has(seconds, time.secondOfMinute) && Self.has(minutes, time.minute) && Self.has(hours, time.hour)
            && Self.has(days, time.day) && Self.has(months, time.month) && Self.has(weekdays, time.weekday)
            && hasYear(time.year)
    }

    /// The last second around a time that matches in which all seconds match, by the fields that match everything. So
    /// a whole excluded day is passed over at once.
    func lastMatch(_ time: CivilTime, in zone: TimeZoneRules) -> Int64 {
        guard seconds == Self.all(.second) else { return time.second }
        let ofMinute = time.second + Int64(59 - time.secondOfMinute)
        guard minutes == Self.all(.minute) else { return ofMinute }
        let ofHour = ofMinute + Int64(59 - time.minute) * 60
        guard hours == Self.all(.hour) else { return ofHour }
        let days = CivilTime.days(year: time.year, month: time.month) + Int64(time.day)
        return max(ofHour, CivilTime.second(ofLocal: days * 86_400 - 1, in: zone))
    }

    private static func all(_ field: CalendarField) -> UInt64 { field.bounds.reduce(0) { $0 | 1 << UInt64($1) } }

    /// The first second behind `after` that matches; nil if there is none until the year 2100.
    ///
    /// It goes by what the clocks show, field by field, as Temporal's server does; so a time that the clocks skip is
    /// none. An hour that they repeat is gone through twice if the search comes to its end minute by minute.
    func next(after: Int64, in zone: TimeZoneRules) -> Int64? {
        if isEmpty { return nil }
        let start = CivilTime(second: after, in: zone)
        var at = CalendarPlace(start)
        at.second += 1
        at.knownWeekday = start.weekday
        // Added to the times of an hour that is gone through for the second time.
        let isRepeated = CivilTime(second: after - 3_600, in: zone).hour == start.hour
        at.delay = isRepeated ? 3_600 : 0
        while true {
            at.carry(in: zone)
            guard at.year <= Self.years.upperBound else { return nil }
            if !hasYear(at.year) {
                at.go(toYear: max(at.year + 1, Self.years.lowerBound))
            } else if !Self.has(months, at.month) {
                at.go(toMonth: at.month + 1)
            } else if !Self.has(days, at.day) || !Self.has(weekdays, at.weekday(in: zone)) {
                at.go(toDay: at.day + 1)
            } else if !Self.has(hours, at.hour) {
                at.go(toHour: at.hour + 1)
            } else if let minute = Self.first(minutes, from: at.minute) {
                if minute != at.minute { (at.minute, at.second) = (minute, 0) }
                guard let second = Self.first(seconds, from: at.second) else {
                    (at.minute, at.second) = (at.minute + 1, 0)
                    continue
                }
                at.second = second
                let found = CivilTime.second(ofLocal: at.local, in: zone)
                guard CivilTime(second: found, in: zone).hour == at.hour else {
                    // The clocks skip it.
                    at.go(toHour: at.hour + 1)
                    continue
                }
                return found + at.delay
            } else {
                (at.minute, at.second) = (60, 0)
            }
        }
    }

    /// The least value of a field that is not below another.
    private static func first(_ bits: UInt64, from value: Int) -> Int? {
        let rest = value < 64 ? bits >> UInt64(value) : 0
        return rest == 0 ? nil : value + rest.trailingZeroBitCount
    }
}

/// A place on the calendar, as the search for the next time moves it.
private struct CalendarPlace {
    private(set) var year: Int
    private(set) var month: Int
    private(set) var day: Int
    private(set) var hour: Int
    var minute: Int
    var second: Int
    /// The day's weekday, once it was asked for.
    var knownWeekday: Int?
    /// Seconds from the time that the clocks show for the first time to the one meant.
    var delay: Int64 = 0

    init(_ time: CivilTime) {
        (year, month, day) = (time.year, time.month, time.day)
        (hour, minute, second) = (time.hour, time.minute, time.secondOfMinute)
    }

    private var daysFrom1970: Int64 { CivilTime.days(year: year, month: month) + Int64(day - 1) }

    /// 0 to 6, from Sunday. Of a day that the search has come to it is that of its first second, as in Temporal's
    /// server. Where the clocks skip midnight, that second belongs to the day before.
    mutating func weekday(in zone: TimeZoneRules) -> Int {
        if let knownWeekday { return knownWeekday }
        let midnight = CivilTime.second(ofLocal: daysFrom1970 * 86_400, in: zone)
        let weekday = CivilTime(second: midnight, in: zone).weekday
        knownWeekday = weekday
        return weekday
    }

    /// Seconds from 1970, as if the clocks showed universal time.
    var local: Int64 { daysFrom1970 * 86_400 + Int64((hour * 60 + minute) * 60 + second) }

    private var lengthOfMonth: Int {
        let isLeapYear = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
        return [31, isLeapYear ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31][month - 1]
    }

    /// Brings what exceeds its bounds by one into the field above.
    mutating func carry(in zone: TimeZoneRules) {
        if second > 59 { (minute, second) = (minute + 1, 0) }
        if minute > 59 {
            minute = 0
            if delay == 0, isFollowedByItself(in: zone) {
                delay = 3_600
            } else {
                go(toHour: hour + 1)
            }
        }
        if hour > 23 { go(toDay: day + 1) }
        if month > 12 { go(toYear: year + 1) }
        if day > lengthOfMonth { go(toMonth: month + 1) }
        if month > 12 { go(toYear: year + 1) }
    }

    /// Whether more than an hour passes until the clocks show the next one.
    private func isFollowedByItself(in zone: TimeZoneRules) -> Bool {
        let local = daysFrom1970 * 86_400 + Int64(hour * 3_600)
        let (this, next) = (
            CivilTime.second(ofLocal: local, in: zone), CivilTime.second(ofLocal: local + 3_600, in: zone)
        )
        return next - this > 3_600
    }

    mutating func go(toYear year: Int) {
        (self.year, month) = (year, 1)
        go(toDay: 1)
    }

    mutating func go(toMonth month: Int) {
        self.month = month
        go(toDay: 1)
    }

    mutating func go(toDay day: Int) {
        self.day = day
        knownWeekday = nil
        go(toHour: 0)
    }

    mutating func go(toHour hour: Int) { (self.hour, minute, second, delay) = (hour, 0, 0, 0) }
}
