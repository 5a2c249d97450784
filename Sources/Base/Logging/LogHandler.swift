internal import SagamoreThreads

/// Gives lines their form and writes them whole, one after the other, whichever threads they come from.
public final class LogHandler: Sendable {
    private let format: LogFormat
    private let colours: Bool
    private let destination: Locked<LogDestination>

    /// - Parameters:
    ///   - format: Text for people or JSON for machines.
    ///   - destination: Where lines go.
    public init(format: LogFormat, destination: LogDestination) {
        self.format = format
        self.colours = format == .text && destination.showsColours
        self.destination = Locked(destination)
    }

    func write(_ record: LogRecord) {
        var line: [UInt8] = []
        line.reserveCapacity(256)
        switch format {
        case .text: TextLine.append(record, colours: colours, to: &line)
        case .json: JSONLine.append(record, to: &line)
        }
        line.append(UInt8(ascii: "\n"))
        destination.withLock { $0.write(line) }
    }
}
