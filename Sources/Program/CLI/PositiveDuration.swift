internal import SagamoreCommandLineArguments
internal import SagamoreJSONText
internal import SagamoreProtobuf

/// A duration above zero, in Go's format.
struct PositiveDuration: ExpressibleByArgument {
    let duration: Duration

    init?(argument: String) {
        guard let duration = GoDuration.parse(argument), duration > .zero else { return nil }
        self.duration = duration
    }

    static var expectation: String { "a duration like 30s or 5m" }

    var message: ProtobufDuration {
        let (seconds, attoseconds) = duration.components
        return ProtobufDuration(seconds: seconds, nanos: Int32(attoseconds / 1_000_000_000))
    }
}
