import SagamoreProtobuf
import Testing

@testable import SagamoreCLI

struct TimeFormatTests {
    private let now = ProtobufTimestamp(seconds: 1_700_000_000, nanos: 500_000_000)

    @Test(arguments: [
        (0, "now"), (-1, "1s ago"), (-59, "59s ago"), (-60, "1m ago"), (-7_199, "1h ago"), (-172_800, "2d ago"),
        (90, "in 1m"),
    ])
    func relativeTimesHaveOneUnit(_ seconds: Int64, _ text: String) {
        let time = ProtobufTimestamp(seconds: now.seconds + seconds, nanos: now.nanos)
        #expect(TimeFormat.relative.text(time, now: now) == text)
    }

    @Test func timesOfAnyMessageAreShown() {
        let time = ProtobufTimestamp(seconds: .min, nanos: 0)
        #expect(TimeFormat.relative.text(time, now: now).hasSuffix("d ago"))
    }

    @Test func rawTimesHaveAllDigits() {
        let time = ProtobufTimestamp(seconds: 1_700_000_000, nanos: 123_456_789)
        #expect(TimeFormat.raw.text(time, .seconds) == "2023-11-14T22:13:20.123456789Z")
        #expect(TimeFormat.iso.text(time, .seconds) == "2023-11-14T22:13:20Z")
        #expect(TimeFormat.iso.cell(time) == "2023-11-14 22:13:20.123")
    }

    @Test func theClockHasNanosBelowASecond() {
        let now = ProtobufTimestamp.now
        #expect(now.seconds > 1_700_000_000)
        #expect((0..<1_000_000_000).contains(now.nanos))
    }
}
