internal import SagamoreAPI
internal import SagamoreJSONText
internal import SagamoreProtobuf

extension ScheduleSpec {
    /// The times in a line: `cron "30 3 * * *", every 1h0m0s + 5m0s, hour=3 minute=30`.
    var text: String {
        let parts =
            cronString.map { "cron \"\($0)\"" } + interval.map(\.text) + structuredCalendar.map(\.text)
            + calendar.map(\.text) + excludeStructuredCalendar.map { "not \($0.text)" }
            + excludeCalendar.map { "not \($0.text)" }
        return parts.joined(separator: ", ")
    }
}

extension IntervalSpec {
    fileprivate var text: String {
        let phase = phase.flatMap { $0.seconds == 0 && $0.nanos == 0 ? nil : " + \($0.text)" } ?? ""
        return "every \(interval?.text ?? "0s")\(phase)"
    }
}

extension StructuredCalendarSpec {
    fileprivate var text: String {
        let parts: [(name: String, ranges: [SagamoreAPI.Range], all: ClosedRange<Int32>?)] = [
            ("year", year, nil), ("month", month, 1...12), ("dayOfMonth", dayOfMonth, 1...31),
            ("dayOfWeek", dayOfWeek, 0...6), ("hour", hour, 0...23), ("minute", minute, 0...59),
            ("second", second, 0...59),
        ]
        let words = parts.compactMap { part -> String? in
            guard !part.ranges.isEmpty, part.name != "second" || part.ranges.map(\.text) != ["0"] else { return nil }
            if part.ranges.count == 1, let all = part.all, part.ranges[0].covers(all) { return "\(part.name)=*" }
            return "\(part.name)=\(part.ranges.map(\.text).joined(separator: ","))"
        }
        return (words + (comment.isEmpty ? [] : ["(\(comment))"])).joined(separator: " ")
    }
}

extension CalendarSpec {
    fileprivate var text: String {
        let parts = [
            ("year", year), ("month", month), ("dayOfMonth", dayOfMonth), ("dayOfWeek", dayOfWeek), ("hour", hour),
            ("minute", minute), ("second", second),
        ]
        let words = parts.compactMap { $0.1.isEmpty ? nil : "\($0.0)=\($0.1)" }
        return (words + (comment.isEmpty ? [] : ["(\(comment))"])).joined(separator: " ")
    }
}

extension SagamoreAPI.Range {
    /// `3`, `1-5` or `0-59/15`.
    fileprivate var text: String {
        let range = end > start ? "\(start)-\(end)" : "\(start)"
        return step > 1 ? "\(range)/\(step)" : range
    }

    fileprivate func covers(_ all: ClosedRange<Int32>) -> Bool {
        start == all.lowerBound && end == all.upperBound && step <= 1
    }
}

extension ProtobufDuration {
    /// In Go's format: `1h30m0s`.
    var text: String { GoDuration.string(.seconds(seconds) + .nanoseconds(Int64(nanos))) }
}
