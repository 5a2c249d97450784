import SagamoreJSONText
import Testing

@Suite struct GoDurationTests {
    @Test(
        arguments: [
            ("0", .zero), ("0s", .zero), ("-0", .zero), ("90s", .seconds(90)), ("1h30m", .seconds(5400)),
            ("1.5h", .seconds(5400)), ("100ms", .milliseconds(100)), (".5s", .milliseconds(500)), ("1.s", .seconds(1)),
            ("-1.5h", .seconds(-5400)), ("+5s", .seconds(5)), ("1h1h", .seconds(7200)), ("3us", .microseconds(3)),
            ("3\u{B5}s", .microseconds(3)), ("3\u{3BC}s", .microseconds(3)), ("7ns", .nanoseconds(7)),
            ("0.9ns", .zero), ("0.0000000000002777777777h", .zero), ("0.000000000000277777777777778h", .zero),
            ("0.3333333333333333333h", .nanoseconds(1_199_999_999_999)),
            ("9223372036854775807ns", .nanoseconds(Int64.max)), ("2562047h47m16.854775807s", .nanoseconds(Int64.max)),
        ] as [(String, Duration)]
    ) func durationsAreRead(text: String, duration: Duration) {
        #expect(GoDuration.parse(text) == duration)
    }

    @Test(arguments: [
        "", "-", "+", "s", ".", ".s", "1", "90", "1.5", "1d", "1 s", " 1s", "1s ", "1h-5m", "--1s", "1S", "1..5s",
        "1e3s",
        "1m30", "9223372036854775808ns", "2562048h", "99999999999999999999h", "2562047h47m16.854775808s", "∞s", "１s",
    ]) func whatIsNoDurationIsRefused(text: String) {
        #expect(GoDuration.parse(text) == nil)
    }

    @Test(
        arguments: [
            (.zero, "0s"), (.seconds(90), "1m30s"), (.seconds(5400), "1h30m0s"), (.milliseconds(1500), "1.5s"),
            (.milliseconds(100), "100ms"), (.microseconds(1500), "1.5ms"), (.nanoseconds(1500), "1.5µs"),
            (.nanoseconds(7), "7ns"), (.seconds(-90), "-1m30s"), (.milliseconds(-1500), "-1.5s"),
            (.seconds(60), "1m0s"),
            (.nanoseconds(1_000_000_001), "1.000000001s"), (.nanoseconds(Int64.max), "2562047h47m16.854775807s"),
            (.nanoseconds(-1), "-1ns"),
        ] as [(Duration, String)]
    ) func durationsArePrintedAsGoDoes(duration: Duration, text: String) {
        #expect(GoDuration.string(duration) == text)
        #expect(GoDuration.parse(text) == duration)
    }
}
