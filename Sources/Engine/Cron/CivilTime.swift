internal import SagamoreJSONText

/// A second as the clocks and calendars of a time zone show it.
public struct CivilTime: Sendable {
    /// Seconds since 1970-01-01T00:00:00Z.
    public private(set) var second: Int64
    /// The year.
    public private(set) var year = 0
    /// 1 to 12.
    public private(set) var month = 0
    /// 1 to 31.
    public private(set) var day = 0
    /// 0 to 23.
    public private(set) var hour = 0
    /// 0 to 59.
    public private(set) var minute = 0
    /// 0 to 59.
    public private(set) var secondOfMinute = 0
    /// 0 to 6, from Sunday.
    public private(set) var weekday = 0

    /// What the clocks of a zone show at a second.
    public init(second: Int64, in zone: TimeZoneRules) {
        self.second = second
        read(in: zone)
    }

    mutating func advance(by seconds: Int64, in zone: TimeZoneRules) {
        second += seconds
        read(in: zone)
    }

    /// Moves to a day. Months and days may exceed their ranges: the 32nd of a month is a day of the next one.
    ///
    /// A time that a zone's clock skips or repeats stands for one of the times around it.
    mutating func move(
        toYear year: Int,
        _ month: Int,
        _ day: Int,
        hour: Int = 0,
        keepingTime: Bool = false,
        in zone: TimeZoneRules
    ) {
        let monthsFromYear0 = year * 12 + month - 1
        let days = Self.days(year: monthsFromYear0 / 12, month: monthsFromYear0 % 12 + 1) + Int64(day - 1)
        let time =
            keepingTime ? (self.hour * 60 + minute) * 60 + secondOfMinute : hour * 3_600
        self.second = Self.second(ofLocal: days * 86_400 + Int64(time), in: zone)
        read(in: zone)
    }

    /// The second at which the clocks of a zone show a time, which is given in seconds as if they showed universal
    /// time. A time that they skip or repeat stands for one of the times around it.
    public static func second(ofLocal local: Int64, in zone: TimeZoneRules) -> Int64 {
        // The clock's time is taken for universal time, which finds the right offset except near a transition.
        let near = zone.period(at: local)
        var offset = near.offset
        if !near.contains(local - Int64(offset)) { offset = zone.period(at: local - Int64(offset)).offset }
        return local - Int64(offset)
    }

    /// The days from 1970 to the first of a month, 1 to 12.
    public static func days(year: Int, month: Int) -> Int64 {
        Int64(CivilDate(year: year, month: month, day: 1)?.daysSinceYear0 ?? 0) - daysTo1970
    }

    private mutating func read(in zone: TimeZoneRules) {
        let local = second + Int64(zone.period(at: second).offset)
        var (days, rest) = local.quotientAndRemainder(dividingBy: 86_400)
        if rest < 0 { (days, rest) = (days - 1, rest + 86_400) }
        let date = CivilDate(daysSinceYear0: Int(max(days + Self.daysTo1970, 0)))
        (year, month, day) = (date.year, date.month, date.day)
        (hour, minute, secondOfMinute) = (Int(rest / 3_600), Int(rest / 60 % 60), Int(rest % 60))
        // 1970 began on a Thursday.
        weekday = Int(((days + 4) % 7 + 7) % 7)
    }

    private static let daysTo1970: Int64 = 719_528
}
