import Foundation
import SagamoreEngine
import Testing

/// Which times a cron schedule names.
@Suite struct CronTests {
    private static let zones = TimeZones { name in
        guard let data = FileManager.default.contents(atPath: "/usr/share/zoneinfo/\(name)") else { return nil }
        return TimeZoneRules(file: [UInt8](data))
    }

    private static let hasZones = FileManager.default.fileExists(atPath: "/usr/share/zoneinfo/Europe/Berlin")

    private func instant(_ text: String) throws -> Instant {
        let date = try #require(ISO8601DateFormatter().date(from: text))
        return Instant(nanoseconds: Int64(date.timeIntervalSince1970) * 1_000_000_000)
    }

    private func text(_ instant: Instant?) -> String? {
        instant.map { ISO8601DateFormatter().string(from: Date(timeIntervalSince1970: Double($0.nanoseconds) / 1e9)) }
    }

    @Test(arguments: [
        ("* * * * *", "2025-06-15T12:00:00Z", "2025-06-15T12:01:00Z"),
        ("*/15 * * * *", "2025-06-15T12:46:10Z", "2025-06-15T13:00:00Z"),
        ("5/20 * * * *", "2025-06-15T12:06:00Z", "2025-06-15T12:25:00Z"),
        ("0 0-8,20 * * *", "2025-06-15T09:00:00Z", "2025-06-15T20:00:00Z"),
        ("30 9 * * mon-fri", "2025-06-14T00:00:00Z", "2025-06-16T09:30:00Z"),
        ("0 0 1 jan,JUL ?", "2025-06-15T12:00:00Z", "2025-07-01T00:00:00Z"),
        // Either day will do when both are given, and both must match when one is a star.
        ("0 0 13 * fri", "2025-06-01T00:00:00Z", "2025-06-06T00:00:00Z"),
        ("0 0 13 * *", "2025-06-01T00:00:00Z", "2025-06-13T00:00:00Z"),
        ("0 0 */2 * mon", "2025-06-01T12:00:00Z", "2025-06-02T00:00:00Z"),
        ("0 0 29 2 *", "2025-06-15T12:00:00Z", "2028-02-29T00:00:00Z"),
        ("0 0 31 * *", "2025-06-15T12:00:00Z", "2025-07-31T00:00:00Z"),
        ("@yearly", "2025-06-15T12:00:00Z", "2026-01-01T00:00:00Z"),
        ("@annually", "2025-12-31T23:59:59Z", "2026-01-01T00:00:00Z"),
        ("@monthly", "2025-06-15T12:00:00Z", "2025-07-01T00:00:00Z"),
        ("@weekly", "2025-06-15T12:00:00Z", "2025-06-22T00:00:00Z"),
        ("@daily", "2025-06-15T12:00:00Z", "2025-06-16T00:00:00Z"),
        ("@midnight", "2025-06-15T23:59:59Z", "2025-06-16T00:00:00Z"),
        ("@hourly", "2025-06-15T12:00:00Z", "2025-06-15T13:00:00Z"),
        ("@every 1h30m", "2025-06-15T12:00:00Z", "2025-06-15T13:30:00Z"),
        ("@every 1ms", "2025-06-15T12:00:00Z", "2025-06-15T12:00:01Z"),
        ("TZ=UTC @daily", "2025-06-15T12:00:00Z", "2025-06-16T00:00:00Z"),
    ])
    func nextTime(schedule: String, after: String, expected: String) throws {
        let schedule = try #require(CronSchedule(schedule, .universalOnly))
        #expect(text(schedule.next(after: try instant(after))) == expected)
    }

    @Test(
        .enabled(if: hasZones, "the system has no time zones"),
        arguments: [
            ("CRON_TZ=Europe/Berlin 0 9 * * *", "2025-06-15T12:00:00Z", "2025-06-16T07:00:00Z"),
            ("CRON_TZ=Europe/Berlin 0 9 * * *", "2025-12-15T12:00:00Z", "2025-12-16T08:00:00Z"),
            ("TZ=America/New_York @daily", "2025-06-15T12:00:00Z", "2025-06-16T04:00:00Z"),
            ("TZ=Asia/Kolkata 30 0 * * *", "2025-06-15T12:00:00Z", "2025-06-15T19:00:00Z"),
            // The clock skips 2:30, so that day has none.
            ("CRON_TZ=Europe/Berlin 30 2 * * *", "2025-03-29T12:00:00Z", "2025-03-31T00:30:00Z"),
            // The clock shows 2:30 twice; both times count.
            ("CRON_TZ=Europe/Berlin 30 2 * * *", "2025-10-25T12:00:00Z", "2025-10-26T00:30:00Z"),
            ("CRON_TZ=Europe/Berlin 30 2 * * *", "2025-10-26T00:30:00Z", "2025-10-26T01:30:00Z"),
            // Behind the last change that the file lists.
            ("CRON_TZ=Europe/Berlin 0 9 * * *", "2087-07-15T12:00:00Z", "2087-07-16T07:00:00Z"),
            ("CRON_TZ=Australia/Sydney 0 9 * * *", "2087-01-15T12:00:00Z", "2087-01-15T22:00:00Z"),
            // Midnight does not exist on the day on which the clocks change.
            ("TZ=America/Sao_Paulo 0 0 4 11 *", "2018-10-01T00:00:00Z", "2019-11-04T03:00:00Z"),
        ]
    )
    func nextTimeInAZone(schedule: String, after: String, expected: String) throws {
        let schedule = try #require(CronSchedule(schedule, Self.zones))
        #expect(text(schedule.next(after: try instant(after))) == expected)
    }

    @Test(arguments: [
        "", "* * * *", "* * * * * *", "60 * * * *", "* 24 * * *", "* * 0 * *", "* * 32 * *", "* * * 13 *", "* * * * 7",
        "-1 * * * *", "1-2-3 * * * *", "1/2/3 * * * *", "5-1 * * * *", "*/0 * * * *", "* * * foo *", "x * * * *",
        "@sometimes", "@every", "@every x", "@Daily", " @daily", "TZ=Nowhere/Land * * * * *", "TZ=UTC", "TZ=",
    ])
    func invalidSchedule(schedule: String) {
        #expect(CronSchedule(schedule, .universalOnly) == nil)
    }

    @Test func backoffIsRoundedUpToSeconds() throws {
        let schedule = try #require(CronSchedule("* * * * *", .universalOnly))
        let noon = try instant("2025-06-15T12:00:00Z")
        #expect(schedule.backoff(since: noon, at: noon + .milliseconds(500)) == .seconds(60))
        #expect(schedule.backoff(since: noon, at: noon + .seconds(150)) == .seconds(30))
        #expect(schedule.backoff(since: noon, at: noon + .seconds(120)) == .seconds(0))
        // The time of the schedule has not come yet.
        #expect(schedule.backoff(since: noon + .seconds(20), at: noon) == .seconds(20))
        let every = try #require(CronSchedule("@every 7s", .universalOnly))
        #expect(every.backoff(since: noon, at: noon + .milliseconds(1_000_500)) == .seconds(1))
    }

    @Test(.enabled(if: hasZones, "the system has no time zones")) func damagedZoneIsRefused() throws {
        let data = try #require(FileManager.default.contents(atPath: "/usr/share/zoneinfo/Europe/Berlin"))
        let bytes = [UInt8](data)
        #expect(TimeZoneRules(file: bytes) != nil)
        for count in stride(from: 0, to: bytes.count - 1, by: 7) {
            #expect(TimeZoneRules(file: Array(bytes.prefix(count))) == nil, "\(count) bytes")
        }
    }
}
