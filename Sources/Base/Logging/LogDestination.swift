/// Where log lines go.
public struct LogDestination: Sendable {
    /// The process's standard error.
    public static let standardError = LogDestination(.descriptor(2))

    /// The process's standard output.
    public static let standardOutput = LogDestination(.descriptor(1))

    /// An open file, pipe or socket. The caller keeps it open as long as somebody logs.
    public static func fileDescriptor(_ descriptor: Int32) -> LogDestination {
        LogDestination(.descriptor(descriptor))
    }

    /// A function that is given each line without its newline, one at a time, on the thread that logs.
    public static func lines(_ receive: @escaping @Sendable (String) -> Void) -> LogDestination {
        LogDestination(.function(receive))
    }

    private enum Kind: Sendable {
        case descriptor(Int32)
        case function(@Sendable (String) -> Void)
    }

    private let kind: Kind

    private init(_ kind: Kind) {
        self.kind = kind
    }

    /// Whether people look at it directly and it understands colours.
    var showsColours: Bool {
        switch kind {
        case .descriptor(let descriptor): SystemCalls.isColourTerminal(descriptor)
        case .function: false
        }
    }

    /// Writes `line`, which ends with a newline, to its end or until the destination fails for good. A failure has
    /// nowhere to be reported, and a service doesn't end because its log did.
    func write(_ line: [UInt8]) {
        switch kind {
        case .descriptor(let descriptor): SystemCalls.writeAll(line, to: descriptor)
        case .function(let receive): receive(String(decoding: line.dropLast(), as: UTF8.self))
        }
    }
}
