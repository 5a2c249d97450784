/// A day of the proleptic Gregorian calendar.
///
/// Internally years start in March, so that the leap day is the last day of a year and months have regular lengths:
/// five months have 153 days.
public struct CivilDate: Equatable, Sendable {
    /// 0 to 9999.
    public var year: Int
    /// 1 to 12.
    public var month: Int
    /// 1 to 31.
    public var day: Int

    /// - Returns: `nil` for a day that does not exist.
    public init?(year: Int, month: Int, day: Int) {
        guard (0...9999).contains(year), (1...12).contains(month), day >= 1 else { return nil }
        let isLeapYear = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
        let lengths = [31, isLeapYear ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
        guard day <= lengths[month - 1] else { return nil }
        (self.year, self.month, self.day) = (year, month, day)
    }

    /// - Parameter days: Days since the first of January of year 0; not negative.
    public init(daysSinceYear0 days: Int) {
        // 1 March of year 0 is day 60; starting a cycle of 400 years earlier keeps everything positive.
        let sinceMarch = days - 60 + Self.daysOfCycle
        let cycle = sinceMarch / Self.daysOfCycle
        let ofCycle = sinceMarch % Self.daysOfCycle
        let yearOfCycle = (ofCycle - ofCycle / 1460 + ofCycle / 36_524 - ofCycle / 146_096) / 365
        let ofYear = ofCycle - (365 * yearOfCycle + yearOfCycle / 4 - yearOfCycle / 100)
        let monthFromMarch = (5 * ofYear + 2) / 153
        day = ofYear - (153 * monthFromMarch + 2) / 5 + 1
        month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
        year = (cycle - 1) * 400 + yearOfCycle + (month <= 2 ? 1 : 0)
    }

    /// Days since the first of January of year 0.
    public var daysSinceYear0: Int {
        let yearFromMarch = (month <= 2 ? year - 1 : year) + 400
        let monthFromMarch = month <= 2 ? month + 9 : month - 3
        let ofYear = (153 * monthFromMarch + 2) / 5 + day - 1
        let days = yearFromMarch * 365 + yearFromMarch / 4 - yearFromMarch / 100 + yearFromMarch / 400 + ofYear
        return days - Self.daysOfCycle + 60
    }

    /// The days of 400 years, after which the calendar repeats.
    private static let daysOfCycle = 146_097
}
