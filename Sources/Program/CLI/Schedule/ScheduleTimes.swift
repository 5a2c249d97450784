internal import SagamoreAPI
internal import SagamoreCommandLineArguments
internal import SagamoreJSONText
internal import SagamoreProtobuf

/// The options that say at which times a schedule acts.
enum ScheduleTimes {
    static let calendars = Option<[Calendar]>(
        "--calendar",
        valueName: "JSON",
        help: #"Times by their parts, such as {"dayOfWeek":"Fri","hour":"17","minute":"5"}."#
    )
    static let crons = Option<[String]>("--cron", valueName: "TEXT", help: "Times in cron's form, or @daily and such.")
    static let intervals = Option<[Interval]>(
        "--interval",
        valueName: "EVERY[/OFFSET]",
        help: "Times at a distance, such as 45m, or 6h/5h for each sixth hour after 05:00."
    )
    static let startTime = Option<TimeArgument?>("--start-time", valueName: "TIME", help: "No time before this one.")
    static let endTime = Option<TimeArgument?>("--end-time", valueName: "TIME", help: "No time after this one.")
    static let jitter = Option<PositiveDuration?>(
        "--jitter",
        valueName: "DURATION",
        help: "How late a start may be, by chance."
    )
    static let timeZone = Option<String?>(
        "--time-zone",
        valueName: "NAME",
        help: "The time zone of calendars and cron, such as Europe/Berlin. Default: UTC."
    )

    static let parameters: [any Parameter] = [calendars, crons, intervals, startTime, endTime, jitter, timeZone]

    static func spec(_ values: ParsedValues) throws(UsageError) -> ScheduleSpec {
        var spec = ScheduleSpec()
        spec.calendar = values[calendars].map(\.spec)
        spec.cronString = values[crons]
        spec.interval = values[intervals].map(\.spec)
        spec.startTime = values[startTime]?.time
        spec.endTime = values[endTime]?.time
        spec.jitter = values[jitter]?.message
        spec.timezoneName = values[timeZone] ?? ""
        return spec
    }

    /// Times by their parts. A part that is missing has the default of the service.
    struct Calendar: ExpressibleByArgument {
        let spec: CalendarSpec

        init?(argument: String) {
            guard let object = try? JSONValue.parse(argument).object else { return nil }
            var spec = CalendarSpec()
            for member in object.members {
                guard let path = Self.parts[member.key], let text = Self.text(member.value) else { return nil }
                spec[keyPath: path] = text
            }
            self.spec = spec
        }

        private static var parts: [String: WritableKeyPath<CalendarSpec, String>] {
            [
                "second": \.second, "minute": \.minute, "hour": \.hour, "dayOfMonth": \.dayOfMonth, "month": \.month,
                "year": \.year, "dayOfWeek": \.dayOfWeek, "comment": \.comment,
            ]
        }

        private static func text(_ value: JSONValue) -> String? { value.string ?? value.int64.map { String($0) } }

        static var expectation: String {
            "a JSON object of second, minute, hour, dayOfMonth, month, year, dayOfWeek and comment"
        }
    }

    /// A distance between times, and how far after its multiples they lie.
    struct Interval: ExpressibleByArgument {
        let spec: IntervalSpec

        init?(argument: String) {
            let parts = argument.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
            guard parts.count <= 2, let every = PositiveDuration(argument: parts[0]) else { return nil }
            var spec = IntervalSpec()
            spec.interval = every.message
            if parts.count == 2 {
                guard let offset = GoDuration.parse(parts[1]), offset >= .zero, offset < every.duration else {
                    return nil
                }
                spec.phase = ProtobufDuration(offset)
            }
            self.spec = spec
        }

        static var expectation: String { "a duration like 45m, or with a shorter offset 6h/5h" }
    }
}

/// A time in RFC 3339 format.
struct TimeArgument: ExpressibleByArgument {
    let time: ProtobufTimestamp

    init?(argument: String) {
        guard let time = ProtobufTimestamp(rfc3339: argument) else { return nil }
        self.time = time
    }

    static var expectation: String { "a time like 2026-01-31T12:00:00Z" }
}
