internal import SagamoreAPI
internal import SagamoreEngine
internal import SagamoreProtobuf

extension ScheduleSpec {
    /// The same spec in the form in which it is stored and shown: calendars and cron strings as structured calendars
    /// and intervals, with all that they leave out, and one time zone.
    func canonical() throws(SpecError) -> ScheduleSpec {
        let count =
            structuredCalendar.count + calendar.count + cronString.count + excludeCalendar.count
            + excludeStructuredCalendar.count + interval.count
        guard count <= Self.mostParts else { throw SpecError("more than \(Self.mostParts) calendars and intervals") }
        var spec = self
        spec.calendar = []
        spec.cronString = []
        spec.excludeCalendar = []
        for calendar in calendar { spec.structuredCalendar.append(try calendar.structured()) }
        var zones: [String] = []
        for text in cronString {
            switch try CronText.parse(text) {
            case .calendar(let calendar, let zone):
                spec.structuredCalendar.append(try calendar.structured())
                zones.append(zone)
            case .interval(let interval): spec.interval.append(interval)
            }
        }
        for calendar in excludeCalendar { spec.excludeStructuredCalendar.append(try calendar.structured()) }
        if let zone = zones.first {
            guard zones.allSatisfy({ $0 == zone }), zone.isEmpty || timezoneName.isEmpty || timezoneName == zone else {
                throw SpecError("conflicting timezone names")
            }
            if !zone.isEmpty { spec.timezoneName = zone }
        }
        for index in spec.structuredCalendar.indices {
            let (calendar, problems) = spec.structuredCalendar[index].canonical()
            guard problems.isEmpty else {
                throw SpecError("invalid calendar spec: \(problems.joined(separator: ", "))")
            }
            spec.structuredCalendar[index] = calendar
        }
        // What excludes nothing does no harm.
        spec.excludeStructuredCalendar = spec.excludeStructuredCalendar.map { $0.canonical().calendar }
        for interval in spec.interval { try interval.check() }
        return spec
    }

    /// How many calendars, cron strings, intervals and exclusions a spec may have: each of its times is looked for in
    /// all of them, by the thread of all schedules.
    private static var mostParts: Int { 1_000 }

    /// The rules of the spec's time zone: by its own data, or by its name.
    func zoneRules(_ zones: TimeZones) throws(SpecError) -> TimeZoneRules {
        if !timezoneData.isEmpty {
            guard let rules = TimeZoneRules(file: timezoneData) else {
                throw SpecError("malformed time zone information")
            }
            return rules
        }
        guard let rules = zones.rules(timezoneName) else {
            throw SpecError("unknown time zone \(timezoneName.prefix(200))")
        }
        return rules
    }
}

extension CalendarSpec {
    /// The calendar as ranges of numbers.
    fileprivate func structured() throws(SpecError) -> StructuredCalendarSpec {
        var problems: [String] = []
        func ranges(_ field: CalendarField, _ text: String) -> [Range] {
            do throws(SpecError) {
                return try field.ranges(text)
            } catch {
                problems.append(error.problem)
                return []
            }
        }
        var structured = StructuredCalendarSpec()
        structured.second = ranges(.second, second)
        structured.minute = ranges(.minute, minute)
        structured.hour = ranges(.hour, hour)
        structured.dayOfWeek = ranges(.dayOfWeek, dayOfWeek)
        structured.dayOfMonth = ranges(.dayOfMonth, dayOfMonth)
        structured.month = ranges(.month, month)
        structured.year = ranges(.year, year)
        structured.comment = comment
        guard problems.isEmpty else { throw SpecError(problems.joined(separator: ", ")) }
        return structured
    }
}

extension StructuredCalendarSpec {
    /// The longest comment, as in Temporal's server.
    private static var commentLength: Int { 200 }

    /// - Returns: the calendar with all that it leaves out, and what is wrong with it.
    fileprivate func canonical() -> (calendar: StructuredCalendarSpec, problems: [String]) {
        var calendar = self
        var problems: [String] = []
        calendar.second = CalendarField.second.canonical(second, &problems)
        calendar.minute = CalendarField.minute.canonical(minute, &problems)
        calendar.hour = CalendarField.hour.canonical(hour, &problems)
        calendar.dayOfMonth = CalendarField.dayOfMonth.canonical(dayOfMonth, &problems)
        calendar.month = CalendarField.month.canonical(month, &problems)
        calendar.year = CalendarField.year.canonical(year, &problems)
        calendar.dayOfWeek = CalendarField.dayOfWeek.canonical(dayOfWeek, &problems)
        if comment.utf8.count > Self.commentLength { problems.append("comment is too long") }
        return (calendar, problems)
    }
}

extension IntervalSpec {
    fileprivate func check() throws(SpecError) {
        let (length, offset) = (interval?.signedNanoseconds ?? 0, phase?.signedNanoseconds ?? 0)
        guard length >= 1_000_000_000 else { throw SpecError("interval is too small") }
        guard offset >= 0 else { throw SpecError("phase is negative") }
        guard offset < length else { throw SpecError("phase cannot be greater than Interval") }
    }
}

extension ProtobufDuration {
    /// The length in nanoseconds; what 64 bits cannot hold is clamped.
    var signedNanoseconds: Int64 {
        let (product, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
        let (sum, second) = product.addingReportingOverflow(Int64(nanos))
        return overflow || second ? (seconds < 0 ? .min : .max) : sum
    }
}
