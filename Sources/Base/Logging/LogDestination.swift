internal import Glibc

/// Where log lines go.
public struct LogDestination: Sendable {
    /// The process's standard error.
    public static let standardError = fileDescriptor(2)

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

    /// Whether people look at it directly and it understands colors.
    var showsColors: Bool {
        switch kind {
        case .descriptor(let descriptor): Self.isColorTerminal(descriptor)
        case .function: false
        }
    }

    /// Writes `line`, which ends with a newline, to its end or until the destination fails for good. A failure has
    /// nowhere to be reported, and a service doesn't end because its log did.
    func write(_ line: [UInt8]) {
        switch kind {
        case .descriptor(let descriptor): Self.writeAll(line, to: descriptor)
        case .function(let receive): receive(String(decoding: line.dropLast(), as: UTF8.self))
        }
    }

    /// A terminal that understands colors and whose user didn't switch them off (`NO_COLOR`, `TERM=dumb`).
    private static func isColorTerminal(_ descriptor: Int32) -> Bool {
        guard isatty(descriptor) == 1, getenv("NO_COLOR") == nil else { return false }
        guard let terminal = getenv("TERM") else { return false }
        return strcmp(terminal, "dumb") != 0
    }

    /// Writes all bytes, also over interruptions and to a descriptor that doesn't block; gives up on other errors.
    private static func writeAll(_ bytes: [UInt8], to descriptor: Int32) {
        bytes.withUnsafeBytes { buffer in
            var rest = buffer[...]
            while !rest.isEmpty {
                let written = Glibc.write(descriptor, UnsafeRawBufferPointer(rebasing: rest).baseAddress, rest.count)
                if written >= 0 {
                    rest = rest.dropFirst(written)
                } else if errno == EAGAIN || errno == EWOULDBLOCK {
                    var request = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
                    poll(&request, 1, -1)
                } else if errno != EINTR {
                    return
                }
            }
        }
    }
}
