internal import FoundationEssentials
internal import SagamoreCommandLineArguments
internal import SagamoreJSONText
internal import SagamoreProtobuf

/// How text shows times. JSON always has RFC 3339.
enum TimeFormat: String, CaseIterable, ExpressibleByArgument {
    /// The distance from now, in its largest unit: `5m ago`, `in 2h`.
    case relative
    /// RFC 3339, in UTC.
    case iso
    /// RFC 3339 with all nanoseconds.
    case raw

    static let option = Option<TimeFormat>(
        "--time-format",
        valueName: "FORMAT",
        default: .iso,
        help: "How text shows times; raw has nanoseconds."
    )

    /// - Parameter precision: of ISO times.
    func text(
        _ time: ProtobufTimestamp,
        _ precision: RFC3339.Precision = .milliseconds,
        now: ProtobufTimestamp = .now
    ) -> String {
        switch self {
        case .relative: Self.distance(from: now, to: time)
        case .iso: time.text(precision)
        case .raw: time.text(.nanoseconds)
        }
    }

    /// As a column of a log shows it: ISO times with a space, and without the zone that the title names.
    func cell(_ time: ProtobufTimestamp) -> String {
        self == .iso ? String(time.text().dropLast().replacing("T", with: " ")) : text(time)
    }

    /// The title of a column of such cells.
    var title: String { self == .iso ? "TIME (UTC)" : "TIME" }

    private static func distance(from now: ProtobufTimestamp, to time: ProtobufTimestamp) -> String {
        // Times of messages lie anywhere within 64 bits.
        let difference = Double(time.seconds) - Double(now.seconds) + Double(time.nanos - now.nanos) / 1e9
        let seconds = difference.magnitude
        guard seconds >= 1 else { return "now" }
        let units: [(seconds: Double, name: String)] = [(86_400, "d"), (3_600, "h"), (60, "m"), (1, "s")]
        guard let unit = units.first(where: { seconds >= $0.seconds }) else { return "now" }
        let text = "\(Int64(min(seconds / unit.seconds, 1e15)))\(unit.name)"
        return difference < 0 ? "\(text) ago" : "in \(text)"
    }
}

extension ProtobufTimestamp {
    /// The time of this machine's clock.
    static var now: ProtobufTimestamp {
        let seconds = Date.now.timeIntervalSince1970
        let whole = seconds.rounded(.down)
        return ProtobufTimestamp(seconds: Int64(whole), nanos: Int32((seconds - whole) * 1e9))
    }
}

extension ProtobufTimestamp {
    /// A time in RFC 3339 format; nil for another text.
    init?(rfc3339 text: String) {
        guard let (seconds, nanos) = RFC3339.parse(text) else { return nil }
        self.init(seconds: seconds, nanos: nanos)
    }
}
