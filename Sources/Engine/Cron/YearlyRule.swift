internal import SagamoreJSONText

/// The rule of a time zone that holds for every year: standard time, and summer time between two days.
struct YearlyRule: Equatable, Sendable {
    /// A day of a year, and a time of that day.
    struct Change: Equatable, Sendable {
        enum Day: Equatable, Sendable {
            /// The weekday (from Sunday, 0) of a month that comes `week`th; 5 is the last one.
            case weekday(Int, week: Int, month: Int)
            /// 1 to 365; the 29th of February is never counted.
            case ofPlainYear(Int)
            /// 0 to 365.
            case ofYear(Int)
        }

        let day: Day
        /// Seconds from midnight, on the clock before the change; may be negative, or more than a day.
        let time: Int64
    }

    struct Summer: Equatable, Sendable {
        /// Seconds east of UTC.
        let offset: Int32
        let begin: Change
        let end: Change
    }

    /// Seconds east of UTC.
    let offset: Int32
    /// Nil where the clocks don't change.
    let summer: Summer?

    /// The period that holds a second.
    func period(at second: Int64) -> TimeZoneRules.Period {
        guard let summer else { return TimeZoneRules.Period(offset: offset, start: .min, end: .max) }
        let days = (second + Int64(offset)) / 86_400 + 719_528
        let year = CivilDate(daysSinceYear0: Int(max(days, 366))).year
        var changes: [(second: Int64, offset: Int32)] = []
        for year in max(year - 1, 1)...year + 1 {
            changes.append((summer.begin.second(in: year) - Int64(offset), summer.offset))
            changes.append((summer.end.second(in: year) - Int64(summer.offset), offset))
        }
        changes.sort { $0.second < $1.second }
        let next = changes.firstIndex { $0.second > second } ?? changes.count
        let end = next < changes.count ? changes[next].second : .max
        guard next > 0 else { return TimeZoneRules.Period(offset: offset, start: .min, end: end) }
        return TimeZoneRules.Period(offset: changes[next - 1].offset, start: changes[next - 1].second, end: end)
    }
}

extension YearlyRule.Change {
    /// The second of the change in a year, as if the clock showed universal time.
    fileprivate func second(in year: Int) -> Int64 {
        let isLeapYear = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
        let days: Int64
        switch day {
        case .ofYear(let day): days = CivilTime.days(year: year, month: 1) + Int64(day)
        case .ofPlainYear(let day):
            days = CivilTime.days(year: year, month: 1) + Int64(day - 1) + (isLeapYear && day >= 60 ? 1 : 0)
        case .weekday(let weekday, let week, let month):
            let first = CivilTime.days(year: year, month: month)
            let next =
                month == 12 ? CivilTime.days(year: year + 1, month: 1) : CivilTime.days(year: year, month: month + 1)
            // 1970 began on a Thursday.
            let firstWeekday = ((first + 4) % 7 + 7) % 7
            var found = first + (Int64(weekday) - firstWeekday + 7) % 7 + Int64(week - 1) * 7
            while found >= next { found -= 7 }
            days = found
        }
        return days * 86_400 + time
    }
}

/// The form in which POSIX and the files of the IANA database write a rule: `CET-1CEST,M3.5.0,M10.5.0/3`.
extension YearlyRule {
    /// Parses a rule. Returns nil if it is invalid.
    init?(_ text: String) {
        var rest = Substring(text)
        guard Self.skipName(&rest), let west = Self.time(&rest) else { return nil }
        offset = Int32(truncatingIfNeeded: -west)
        guard !rest.isEmpty else {
            summer = nil
            return
        }
        guard Self.skipName(&rest) else { return nil }
        var summerOffset = offset + 3_600
        if rest.first != "," {
            guard let west = Self.time(&rest) else { return nil }
            summerOffset = Int32(truncatingIfNeeded: -west)
        }
        guard let begin = Self.change(&rest), let end = Self.change(&rest), rest.isEmpty else { return nil }
        summer = Summer(offset: summerOffset, begin: begin, end: end)
    }

    /// A name of letters, or anything between angle brackets.
    private static func skipName(_ rest: inout Substring) -> Bool {
        if rest.first == "<" {
            guard let end = rest.firstIndex(of: ">") else { return false }
            rest = rest[rest.index(after: end)...]
            return true
        }
        let name = rest.prefix(while: \.isLetter)
        rest = rest.dropFirst(name.count)
        return !name.isEmpty
    }

    /// `[+-]HH[:MM[:SS]]` in seconds.
    private static func time(_ rest: inout Substring) -> Int64? {
        var sign: Int64 = 1
        if rest.first == "-" || rest.first == "+" { sign = rest.removeFirst() == "-" ? -1 : 1 }
        guard let hours = number(&rest), hours <= 167 else { return nil }
        var seconds = hours * 3_600
        for unit: Int64 in [60, 1] where rest.first == ":" {
            rest.removeFirst()
            guard let part = number(&rest), part < 60 else { return nil }
            seconds += part * unit
        }
        return sign * seconds
    }

    private static func number(_ rest: inout Substring) -> Int64? {
        let digits = rest.prefix { $0.isASCII && $0.isNumber }
        rest = rest.dropFirst(digits.count)
        return digits.count <= 4 ? Int64(digits) : nil
    }

    /// `,DAY[/TIME]`; the time is 2 o'clock by default.
    private static func change(_ rest: inout Substring) -> Change? {
        guard rest.first == "," else { return nil }
        rest.removeFirst()
        guard let day = day(&rest) else { return nil }
        var seconds: Int64 = 2 * 3_600
        if rest.first == "/" {
            rest.removeFirst()
            guard let given = time(&rest) else { return nil }
            seconds = given
        }
        return Change(day: day, time: seconds)
    }

    private static func day(_ rest: inout Substring) -> Change.Day? {
        switch rest.first {
        case "M":
            var parts: [Int] = []
            repeat {
                rest.removeFirst()
                guard let part = number(&rest) else { return nil }
                parts.append(Int(part))
            } while rest.first == "."
            guard parts.count == 3, (1...12).contains(parts[0]), (1...5).contains(parts[1]), (0...6).contains(parts[2])
            else { return nil }
            return .weekday(parts[2], week: parts[1], month: parts[0])
        case "J":
            rest.removeFirst()
            guard let day = number(&rest), (1...365).contains(day) else { return nil }
            return .ofPlainYear(Int(day))
        default:
            guard let day = number(&rest), day <= 365 else { return nil }
            return .ofYear(Int(day))
        }
    }
}
