import SagamoreAPI
import SagamoreEngine
import SagamoreProtobuf
import Testing

@testable import SagamoreScheduling

/// The expected times around changes of the clocks are those of Temporal's server 1.32, which Tests/Interop compares at
/// length.
struct SpecTimesTests {
    @Test func intervalsCountFromTheBeginningOf1970() throws {
        #expect(
            try ScheduleSpec.every(3_600, phase: 900).shown(from: "2026-01-01T00:00:00Z", to: "2026-01-01T03:00:00Z")
                == ["01 00:15", "01 01:15", "01 02:15"]
        )
        #expect(try ScheduleSpec.every(86_400).times().next(after: .seconds(-1))?.nominal == .seconds(0))
        #expect(try ScheduleSpec.every(86_400).times().next(after: .seconds(-86_401))?.nominal == .seconds(-86_400))
    }

    @Test func severalSpecsAreOneListWithoutRepetitions() throws {
        var spec = ScheduleSpec.cron("0 * * * *", "30 1 * * *")
        spec.interval = ScheduleSpec.every(5_400).interval
        #expect(
            try spec.shown(from: "2026-01-01T00:00:00Z", to: "2026-01-01T03:00:00Z")
                == ["01 01:00", "01 01:30", "01 02:00", "01 03:00"]
        )
    }

    @Test(
        .enabled(if: Zones.areInstalled, "the time zones are not installed"),
        arguments: [
            ("30 2 * * *", "Europe/Berlin", "2026-10-24T12:00:00Z", "2026-10-26T12:00:00Z", ["25 01:30", "26 01:30"]),
            (
                "30 * * * *", "Europe/Berlin", "2026-10-24T22:00:00Z", "2026-10-25T04:00:00Z",
                ["24 22:30", "24 23:30", "25 00:30", "25 02:30", "25 03:30"]
            ),
            ("30 2 * * *", "Europe/Berlin", "2026-03-28T00:00:00Z", "2026-03-31T00:00:00Z", ["28 01:30", "30 00:30"]),
            (
                "30 1 * * *", "America/New_York", "2026-10-31T12:00:00Z", "2026-11-02T12:00:00Z",
                ["01 05:30", "01 06:30", "02 06:30"]
            ),
            (
                "*/20 * * * *", "America/New_York", "2026-11-01T05:00:00Z", "2026-11-01T07:20:00Z",
                ["01 05:20", "01 05:40", "01 06:00", "01 06:20", "01 06:40", "01 07:00", "01 07:20"]
            ),
            (
                "*/10 * * * *", "Australia/Lord_Howe", "2026-04-04T14:00:00Z", "2026-04-04T16:20:00Z",
                ["04 14:10", "04 14:20", "04 15:00", "04 16:10", "04 16:20"]
            ),
        ]
    )
    func changesOfTheClocks(_ cron: String, zone: String, start: String, end: String, expected: [String]) throws {
        #expect(try ScheduleSpec.cron(cron, zone: zone).shown(from: start, to: end) == expected)
    }

    @Test func theStartAndTheEndBelongToTheSpec() throws {
        var spec = ScheduleSpec.every(60)
        spec.startTime = try Instant.at("2026-01-01T00:01:00Z").timestamp
        spec.endTime = try Instant.at("2026-01-01T00:03:00Z").timestamp
        #expect(
            try spec.shown(from: "2025-01-01T00:00:00Z", to: "2027-01-01T00:00:00Z")
                == ["01 00:01", "01 00:02", "01 00:03"]
        )
        #expect(try spec.times().next(after: try .at("2026-01-01T00:03:00Z")) == nil)
    }

    @Test func excludedTimesArePassedOver() throws {
        var weekend = CalendarSpec()
        (weekend.second, weekend.minute, weekend.hour) = ("*", "*", "*")
        weekend.dayOfWeek = "SAT,7"
        var spec = ScheduleSpec.every(43_200)
        spec.excludeCalendar = [weekend]
        // The third of January of 2026 is a Saturday.
        #expect(
            try spec.shown(from: "2026-01-02T00:00:00Z", to: "2026-01-05T12:00:00Z")
                == ["02 12:00", "05 00:00", "05 12:00"]
        )
    }

    @Test func aSpecWithoutTimesIsNoLoop() throws {
        let now = try Instant.at("2026-01-01T00:00:00Z")
        #expect(try ScheduleSpec().times().next(after: now) == nil)
        #expect(try ScheduleSpec.cron("0 0 30 2 *").times().next(after: now) == nil)
        #expect(try ScheduleSpec.cron("0 0 * * * 2025").times().next(after: now) == nil)
        var everything = CalendarSpec()
        (everything.second, everything.minute, everything.hour) = ("*", "*", "*")
        var spec = ScheduleSpec.every(1)
        spec.excludeCalendar = [everything]
        #expect(try spec.times().next(after: now) == nil)
        var never = ScheduleSpec()
        never.structuredCalendar = [StructuredCalendarSpec()]
        #expect(try never.times().next(after: now) == nil)
        #expect(try ScheduleSpec.every(86_400 * 73_000).times().next(after: now) == nil)
    }

    /// The thread of all schedules looks for times: what a client defines must not keep it busy.
    @Test func aSpecHasAThousandPartsAtMost() throws {
        var spec = ScheduleSpec.cron("0 0 30 2 *")
        spec.cronString = Array(repeating: "0 0 30 2 *", count: 1_000)
        let times = try spec.times()
        #expect(times.next(after: try .at("2026-01-01T00:00:00Z")) == nil)
        spec.cronString.append("0 0 30 2 *")
        #expect(throws: SpecError("more than 1000 calendars and intervals")) { try spec.canonical() }
    }

    @Test func theJitterIsTheSameEachTimeAndNeverReachesTheNextTime() throws {
        var spec = ScheduleSpec.every(60)
        spec.jitter = Interval.seconds(600).duration
        let times = try spec.times()
        var after = try Instant.at("2026-01-01T00:00:00Z")
        var offsets: Set<Int64> = []
        for _ in 0..<200 {
            let time = try #require(times.next(after: after))
            #expect(time == (try spec.times().next(after: after)))
            let offset = (time.jittered - time.nominal).nanoseconds
            #expect((0..<60_000_000_000).contains(offset))
            #expect(offset % 1_000_000 == 0)
            offsets.insert(offset)
            after = time.nominal
        }
        #expect(offsets.count > 190)
        #expect(offsets.max() ?? 0 > 50_000_000_000)
    }

    @Test func anotherScheduleHasAnotherJitter() throws {
        var spec = ScheduleSpec.every(60)
        spec.jitter = Interval.seconds(30).duration
        let now = try Instant.at("2026-01-01T00:00:00Z")
        #expect(try spec.times(seed: "a").next(after: now) != (try spec.times(seed: "b").next(after: now)))
    }
}
