internal import SagamoreThreads

/// Formats lines and writes them whole, one at a time, from any thread.
public final class LogHandler: Sendable {
    private let format: LogFormat
    private let colors: Bool
    private let destination: Locked<LogDestination>

    /// - Parameters:
    ///   - format: Text for people or JSON for machines.
    ///   - destination: Where lines go.
    public init(format: LogFormat, destination: LogDestination) {
        self.format = format
        self.colors = format == .text && destination.showsColors
        self.destination = Locked(destination)
    }

    func write(_ record: LogRecord) {
        var line: [UInt8] = []
        line.reserveCapacity(256)
        switch format {
        case .text: TextLine.append(record, colors: colors, to: &line)
        case .json: JSONLine.append(record, to: &line)
        }
        line.append(UInt8(ascii: "\n"))
        destination.withLock { $0.write(line) }
    }
}

/// The format of log lines.
public enum LogFormat: String, Sendable, CaseIterable {
    /// `TIME LEVEL LABEL MESSAGE KEY=VALUE …`, for people; in color on a terminal.
    case text
    /// One JSON object a line: `label`, `level`, `message`, `metadata` (an object, absent when empty) and
    /// `time` (RFC 3339, UTC), with all keys in this order and those of `metadata` sorted.
    case json
}

/// One line before it is formatted.
struct LogRecord: Sendable {
    var time: WallClockTime
    var level: Logger.Level
    var label: String
    var message: String
    /// Sorted by key, each key once.
    var metadata: [(key: String, value: Logger.MetadataValue)]
}
