/// The five fields of a cron schedule.
struct CronFields: Sendable {
    /// The values that a field matches.
    private struct Values {
        /// A bit for each value.
        var bits: UInt64 = 0
        /// The field is a star, in a list or alone, without a step. The days of a month and of a week must then match
        /// both, and otherwise one of them.
        var isStar = false

        func has(_ value: Int) -> Bool { bits & 1 << UInt64(value) != 0 }
    }

    private var minutes = Values()
    private var hours = Values()
    private var days = Values()
    private var months = Values()
    private var weekdays = Values()

    /// Parses exactly five fields, separated by white space.
    init?(_ text: Substring) {
        let fields = text.split(whereSeparator: \.isWhitespace)
        guard fields.count == 5,
            let minutes = Self.values(fields[0], 0...59),
            let hours = Self.values(fields[1], 0...23),
            let days = Self.values(fields[2], 1...31),
            let months = Self.values(fields[3], 1...12, names: Self.monthNames, first: 1),
            let weekdays = Self.values(fields[4], 0...6, names: Self.weekdayNames, first: 0)
        else { return nil }
        self.minutes = minutes
        self.hours = hours
        self.days = days
        self.months = months
        self.weekdays = weekdays
    }

    // MARK: Parsing

    private static let monthNames = [
        "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec",
    ]
    private static let weekdayNames = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"]

    /// A list of ranges: `RANGE[,RANGE]…`.
    private static func values(
        _ text: Substring,
        _ bounds: ClosedRange<Int>,
        names: [String] = [],
        first: Int = 0
    ) -> Values? {
        var whole = Values()
        for part in text.split(separator: ",") {
            guard let values = range(part, bounds, names, first) else { return nil }
            whole.bits |= values.bits
            whole.isStar = whole.isStar || values.isStar
        }
        return whole
    }

    /// `*`, `NUMBER`, or `FROM-TO`, with a step behind a slash. `NUMBER/STEP` goes up to the greatest value.
    private static func range(
        _ text: Substring,
        _ bounds: ClosedRange<Int>,
        _ names: [String],
        _ first: Int
    ) -> Values? {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        let ends = parts[0].split(separator: "-", omittingEmptySubsequences: false)
        guard parts.count <= 2, ends.count <= 2 else { return nil }
        var values = Values()
        var (from, to) = (bounds.lowerBound, bounds.upperBound)
        if ends[0] == "*" || ends[0] == "?" {
            values.isStar = true
        } else {
            guard let low = number(ends[0], names, first) else { return nil }
            (from, to) = (low, low)
            if ends.count == 2 {
                guard let high = number(ends[1], names, first) else { return nil }
                to = high
            }
        }
        var step = 1
        if parts.count == 2 {
            guard let given = number(parts[1], [], 0), given > 0 else { return nil }
            step = given
            if ends.count == 1 { to = bounds.upperBound }
            if step > 1 { values.isStar = false }
        }
        guard from >= bounds.lowerBound, to <= bounds.upperBound, from <= to else { return nil }
        for value in stride(from: from, through: to, by: step) { values.bits |= 1 << UInt64(value) }
        return values
    }

    /// A number that is not negative, or a name.
    private static func number(_ text: Substring, _ names: [String], _ first: Int) -> Int? {
        if let index = names.firstIndex(of: text.lowercased()) { return index + first }
        guard let number = Int(text), number >= 0 else { return nil }
        return number
    }

    // MARK: Times

    /// The first second behind `after` that matches; nil if there is none within five years. Seconds count from 1970.
    ///
    /// The clock of a zone may skip an hour or repeat one. So each step goes by the calendar, and what it leads to is
    /// looked at again, from the months down.
    func next(after: Int64, in zone: TimeZoneRules) -> Int64? {
        var time = CivilTime(second: after + 1, in: zone)
        let lastYear = time.year + 5
        // Whether what is less than the field at hand is at its beginning.
        var isAtBeginning = false
        search: while time.year <= lastYear {
            while !months.has(time.month) {
                if !isAtBeginning { time.move(toYear: time.year, time.month, 1, in: zone) }
                isAtBeginning = true
                time.move(toYear: time.year, time.month + 1, time.day, keepingTime: true, in: zone)
                if time.month == 1 { continue search }
            }
            while !matchesDay(time) {
                if !isAtBeginning { time.move(toYear: time.year, time.month, time.day, in: zone) }
                isAtBeginning = true
                time.move(toYear: time.year, time.month, time.day + 1, keepingTime: true, in: zone)
                // The clock skipped midnight, or went back to the day before.
                if time.hour > 12 { time.advance(by: Int64(24 - time.hour) * 3_600, in: zone) }
                if time.hour != 0, time.hour <= 12 { time.advance(by: -Int64(time.hour) * 3_600, in: zone) }
                if time.day == 1 { continue search }
            }
            while !hours.has(time.hour) {
                if !isAtBeginning {
                    time.move(toYear: time.year, time.month, time.day, hour: time.hour, in: zone)
                }
                isAtBeginning = true
                time.advance(by: 3_600, in: zone)
                if time.hour == 0 { continue search }
            }
            while !minutes.has(time.minute) {
                if !isAtBeginning { time.advance(by: -Int64(time.secondOfMinute), in: zone) }
                isAtBeginning = true
                time.advance(by: 60, in: zone)
                if time.minute == 0 { continue search }
            }
            guard time.secondOfMinute != 0 else { return time.second }
            isAtBeginning = true
            time.advance(by: Int64(60 - time.secondOfMinute), in: zone)
        }
        return nil
    }

    private func matchesDay(_ time: CivilTime) -> Bool {
        let (ofMonth, ofWeek) = (days.has(time.day), weekdays.has(time.weekday))
        return days.isStar || weekdays.isStar ? ofMonth && ofWeek : ofMonth || ofWeek
    }
}
