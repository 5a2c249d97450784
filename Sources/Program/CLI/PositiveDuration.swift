internal import SagamoreCommandLineArguments
internal import SagamoreJSONText
internal import SagamoreProtobuf

/// A duration above zero, in Go's format or in days: `30s`, `1h30m`, `2d`.
struct PositiveDuration: ExpressibleByArgument {
    let duration: Duration

    init?(argument: String) {
        guard let duration = GoDuration.parse(argument) ?? Self.days(argument), duration > .zero else { return nil }
        self.duration = duration
    }

    init(days: Int) {
        precondition(days > 0, "a duration is above zero")
        duration = .seconds(days * 86_400)
    }

    static var expectation: String { "a duration like 30s, 5m or 2d" }

    private static func days(_ text: String) -> Duration? {
        guard text.hasSuffix("d"), let days = Int32(text.dropLast()) else { return nil }
        return .seconds(Int64(days) * 86_400)
    }

    var defaultValueDescription: String { GoDuration.string(duration) }

    var message: ProtobufDuration { ProtobufDuration(duration) }
}

extension ProtobufDuration {
    init(_ duration: Duration) {
        let (seconds, attoseconds) = duration.components
        self.init(seconds: seconds, nanos: Int32(attoseconds / 1_000_000_000))
    }
}
