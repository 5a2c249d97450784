import Foundation
import SagamoreJSONText
import Testing

@Suite struct RFC3339Tests {
    @Test func precisionCutsOff() {
        func text(_ precision: RFC3339.Precision) -> String {
            RFC3339.string(secondsSince1970: 1_772_368_496, nanos: 789_987_654, precision: precision)
        }
        #expect(text(.seconds) == "2026-03-01T12:34:56Z")
        #expect(text(.milliseconds) == "2026-03-01T12:34:56.789Z")
        #expect(text(.microseconds) == "2026-03-01T12:34:56.789987Z")
        #expect(text(.nanoseconds) == "2026-03-01T12:34:56.789987654Z")
    }

    @Test(arguments: [
        (Int64(0), "1970-01-01T00:00:00Z"), (-1, "1969-12-31T23:59:59Z"), (951_782_400, "2000-02-29T00:00:00Z"),
        (-62_167_219_200, "0000-01-01T00:00:00Z"), (253_402_300_799, "9999-12-31T23:59:59Z"),
        (-2_203_891_201, "1900-02-28T23:59:59Z"), (-2_203_891_200, "1900-03-01T00:00:00Z"),
    ]) func knownInstants(seconds: Int64, text: String) {
        #expect(RFC3339.string(secondsSince1970: seconds, precision: .seconds) == text)
        #expect(RFC3339.parse(text)?.secondsSince1970 == seconds)
    }

    @Test func whatHasNoFormBecomesTheNearestThatHasOne() {
        #expect(RFC3339.string(secondsSince1970: .min, nanos: -5) == "0000-01-01T00:00:00.000Z")
        #expect(RFC3339.string(secondsSince1970: .max, nanos: .max) == "9999-12-31T23:59:59.999Z")
    }

    /// Compared with another implementation of the calendar.
    @Test func everyDayAgreesWithFoundation() throws {
        var calendar = Calendar(identifier: .iso8601)
        calendar.timeZone = try #require(TimeZone(identifier: "UTC"))
        var date = DateComponents(year: 1600, month: 1, day: 1)
        date.calendar = calendar
        let start = try #require(calendar.date(from: date)).timeIntervalSince1970
        for day in 0..<220_000 where day % 7 == 0 || day % 365 < 3 {
            let seconds = Int64(start) + Int64(day) * 86_400 + 45_296
            let parts = calendar.dateComponents(
                [.year, .month, .day],
                from: Date(timeIntervalSince1970: Double(seconds))
            )
            let text = RFC3339.string(secondsSince1970: seconds, precision: .seconds)
            let expected = String(
                format: "%04d-%02d-%02dT12:34:56Z",
                try #require(parts.year),
                try #require(parts.month),
                try #require(parts.day)
            )
            #expect(text == expected)
            #expect(RFC3339.parse(text)?.secondsSince1970 == seconds)
        }
    }

    @Test func fractionsAndOffsetsAreRead() throws {
        let instant = try #require(RFC3339.parse("2026-03-01t14:34:56.5+02:00"))
        #expect(instant.secondsSince1970 == 1_772_368_496)
        #expect(instant.nanos == 500_000_000)
        #expect(RFC3339.parse("2026-03-01T12:34:56.000000001z")?.nanos == 1)
        #expect(RFC3339.parse("2026-03-01T12:34:56-00:30")?.secondsSince1970 == 1_772_370_296)
    }

    @Test(arguments: [
        "", "2026", "2026-03-01", "2026-03-01T12:34:56", "2026-03-01 12:34:56Z", "2026-13-01T12:34:56Z",
        "2026-00-01T12:34:56Z", "2026-02-29T12:34:56Z", "1900-02-29T00:00:00Z", "2026-04-31T00:00:00Z",
        "2026-03-00T12:34:56Z", "2026-03-01T24:00:00Z", "2026-03-01T12:60:00Z", "2026-03-01T23:59:60Z",
        "2026-03-01T12:34:56.Z", "2026-03-01T12:34:56.1234567890Z", "2026-03-01T12:34:56ZZ", "2026-03-01T12:34:56+2:00",
        "2026-03-01T12:34:56+24:00", "2026-03-01T12:34:56+0200", "0000-01-01T00:00:00+00:01",
        "9999-12-31T23:59:59-00:01",
        "+026-03-01T12:34:56Z", "２026-03-01T12:34:56Z", "2026-3-01T12:34:56Z",
    ]) func whatIsNoInstantIsRefused(text: String) {
        #expect(RFC3339.parse(text) == nil)
    }
}
