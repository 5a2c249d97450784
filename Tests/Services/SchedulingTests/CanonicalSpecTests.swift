import SagamoreAPI
import SagamoreEngine
import SagamoreProtobuf
import Testing

@testable import SagamoreScheduling

struct CanonicalSpecTests {
    @Test(arguments: [
        ("", "CronString does not have 5-7 fields"), ("* * * *", "CronString does not have 5-7 fields"),
        ("* * * * * * * *", "CronString does not have 5-7 fields"), ("@Hourly", "CronString does not have 5-7 fields"),
        ("@every", "CronString does not have interval after @every"), ("@every x", "time: invalid duration \"x\""),
        ("@every 0s", "interval is too small"), ("@every 1h/2h", "phase cannot be greater than Interval"),
        ("99 * * * *", "Minute is not in range [0-59]"), ("*/0 * * * *", "Minute has invalid Step"),
        ("* 5-3 * * *", "Hour End is before Start or not in range [0-23]"),
        ("* -1 * * *", "Hour Start is not in range [0-23]"),
        (
            "* * * * FRI-MON",
            "DayOfWeek End is before Start or not in range [0-7]"
        ), ("* * ? * *", "DayOfMonth is not in range [1-31]"),
    ])
    func whatIsWrongWithACronString(_ text: String, problem: String) {
        #expect(throws: SpecError(problem)) { try ScheduleSpec.cron(text).canonical() }
    }

    @Test func allThatIsWrongWithACalendarIsSaid() {
        var calendar = CalendarSpec()
        (calendar.minute, calendar.hour, calendar.month) = ("60", "24", "x")
        var spec = ScheduleSpec()
        spec.calendar = [calendar]
        let problem = "Minute is not in range [0-59], Hour is not in range [0-23], Month is not in range [1-12]"
        #expect(throws: SpecError(problem)) { try spec.canonical() }
    }

    @Test func textsBecomeRanges() throws {
        let spec = try ScheduleSpec.cron("5,7-9 */6 1 january,Feb tue-7 # the comment ").canonical()
        let calendar = try #require(spec.structuredCalendar.first)
        #expect(spec.cronString.isEmpty)
        #expect(calendar.minute == [Range(5, 5, step: 1), Range(7, 9, step: 1)])
        #expect(calendar.hour == [Range(0, 23, step: 6)])
        #expect(calendar.second == [Range(0, 0, step: 1)])
        #expect(calendar.month == [Range(1, 1, step: 1), Range(2, 2, step: 1)])
        #expect(calendar.dayOfWeek == [Range(0, 0, step: 1), Range(2, 6, step: 1)])
        #expect(calendar.year.isEmpty)
        #expect(calendar.comment == "the comment")
    }

    @Test func cronStringsOfSixAndSevenFieldsHaveAYearAndASecond() throws {
        let spec = try ScheduleSpec.cron("1 2 3 4 * 2030", "9 1 2 3 4 * 2031").canonical()
        #expect(spec.structuredCalendar.map { $0.year.first?.start } == [2_030, 2_031])
        #expect(spec.structuredCalendar.map { $0.second.first?.start } == [0, 9])
    }

    @Test func everyIsAnInterval() throws {
        let spec = try ScheduleSpec.cron("@every 1d/3h").canonical()
        #expect(spec.interval.map { $0.interval?.seconds } == [86_400])
        #expect(spec.interval.map { $0.phase?.seconds } == [10_800])
    }

    @Test func timeZonesOfCronStrings() throws {
        #expect(try ScheduleSpec.cron("CRON_TZ=Europe/Berlin 0 0 * * *").canonical().timezoneName == "Europe/Berlin")
        #expect(throws: SpecError("conflicting timezone names")) {
            try ScheduleSpec.cron("TZ=Europe/Berlin 0 0 * * *", "0 1 * * *").canonical()
        }
        #expect(throws: SpecError("conflicting timezone names")) {
            try ScheduleSpec.cron("TZ=Europe/Berlin 0 0 * * *", zone: "Asia/Tokyo").canonical()
        }
        #expect(throws: SpecError("unknown time zone No/Where")) {
            try ScheduleSpec.every(60).zoned("No/Where").times()
        }
    }

    @Test func whatIsWrongWithOtherParts() {
        #expect(throws: SpecError("interval is too small")) { try ScheduleSpec.every(0).canonical() }
        #expect(throws: SpecError("phase cannot be greater than Interval")) {
            try ScheduleSpec.every(60, phase: 60).canonical()
        }
        var calendar = StructuredCalendarSpec()
        calendar.hour = [Range(24, 24, step: 1)]
        var spec = ScheduleSpec()
        spec.structuredCalendar = [calendar]
        #expect(throws: SpecError("invalid calendar spec: Hour Start is not in range [0-23]")) { try spec.canonical() }
    }

    @Test func hostileNumbersOfExcludedCalendarsAreNoValues() throws {
        var calendar = StructuredCalendarSpec()
        calendar.hour = [Range(-5, 99, step: -3), Range(Int(Int32.max), Int(Int32.max), step: Int(Int32.max))]
        calendar.second = [Range(0, Int(Int32.max), step: 0)]
        var spec = ScheduleSpec.every(60)
        spec.excludeStructuredCalendar = [calendar]
        #expect(try spec.times().next(after: .seconds(0))?.nominal == .seconds(60))
    }
}

extension ScheduleSpec {
    fileprivate func zoned(_ name: String) -> ScheduleSpec {
        var spec = self
        spec.timezoneName = name
        return spec
    }
}
