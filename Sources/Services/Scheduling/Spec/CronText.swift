internal import SagamoreAPI
internal import SagamoreJSONText
internal import SagamoreProtobuf

/// A cron string: `[CRON_TZ=ZONE] MINUTE HOUR DAY MONTH WEEKDAY [YEAR] [# COMMENT]`, with the second before the minute
/// when it has seven fields, a descriptor like `@daily`, or `@every DURATION[/PHASE]`.
enum CronText {
    /// What a cron string stands for.
    enum Meaning {
        /// A calendar, and the zone that the string names; empty if it names none.
        case calendar(CalendarSpec, zone: String)
        case interval(IntervalSpec)
    }

    static func parse(_ text: String) throws(SpecError) -> Meaning {
        var rest = text.trimmed
        var zone = ""
        for prefix in ["CRON_TZ=", "TZ="] where rest.hasPrefix(prefix) {
            let words = rest.dropFirst(prefix.count).split(
                maxSplits: 1,
                omittingEmptySubsequences: false,
                whereSeparator: \.isWhitespace
            )
            zone = String(words[0])
            guard words.count == 2 else { throw SpecError("CronString has time zone but missing fields") }
            rest = String(words[1]).trimmed
            break
        }
        var comment = ""
        if let mark = rest.firstIndex(of: "#") {
            comment = String(rest[rest.index(after: mark)...]).trimmed
            rest = String(rest[..<mark]).trimmed
        }
        if rest.hasPrefix("@every") { return .interval(try interval(String(rest.dropFirst(6)).trimmed)) }
        var calendar = try calendar(rest)
        calendar.comment = comment
        return .calendar(calendar, zone: zone)
    }

    private static func calendar(_ text: String) throws(SpecError) -> CalendarSpec {
        let plain: String
        switch text {
        case "@yearly", "@annually": plain = "0 0 1 1 *"
        case "@monthly": plain = "0 0 1 * *"
        case "@weekly": plain = "0 0 * * 0"
        case "@daily", "@midnight": plain = "0 0 * * *"
        case "@hourly": plain = "0 * * * *"
        default: plain = text
        }
        var fields = plain.split(whereSeparator: \.isWhitespace).map(String.init)
        var calendar = CalendarSpec()
        if fields.count == 7 { calendar.second = fields.removeFirst() }
        if fields.count == 6 { calendar.year = fields.removeLast() }
        guard fields.count == 5 else { throw SpecError("CronString does not have 5-7 fields") }
        calendar.minute = fields[0]
        calendar.hour = fields[1]
        calendar.dayOfMonth = fields[2]
        calendar.month = fields[3]
        calendar.dayOfWeek = fields[4]
        return calendar
    }

    private static func interval(_ text: String) throws(SpecError) -> IntervalSpec {
        if text.isEmpty { throw SpecError("CronString does not have interval after @every") }
        let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        var interval = IntervalSpec()
        interval.interval = try duration(parts[0])
        if parts.count == 2 { interval.phase = try duration(parts[1]) }
        return interval
    }

    private static func duration(_ text: String) throws(SpecError) -> ProtobufDuration {
        let text = text.trimmed
        guard let parsed = GoDuration.parse(text) ?? days(text) else {
            throw SpecError("time: invalid duration \"\(text.prefix(100))\"")
        }
        var duration = ProtobufDuration()
        duration.seconds = parsed.components.seconds
        duration.nanos = Int32(parsed.components.attoseconds / 1_000_000_000)
        return duration
    }

    /// A number of days: `3d`.
    private static func days(_ text: String) -> Duration? {
        guard text.hasSuffix("d"), let days = Int64(text.dropLast()), days.magnitude <= 100_000 else { return nil }
        return .seconds(days * 86_400)
    }
}
