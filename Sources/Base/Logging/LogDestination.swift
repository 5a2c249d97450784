internal import Glibc

/// A destination for log lines.
public struct LogDestination: Sendable {
    /// The process's standard error.
    public static let standardError = fileDescriptor(2)

    /// An open file, pipe or socket. The caller keeps it open while anything logs to it.
    public static func fileDescriptor(_ descriptor: Int32) -> LogDestination {
        LogDestination(.descriptor(descriptor))
    }

    /// A function that receives each line without its newline, one at a time, on the logging thread.
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

    /// Whether it is a terminal that supports colors.
    var showsColors: Bool {
        switch kind {
        case .descriptor(let descriptor): Self.isColorTerminal(descriptor)
        case .function: false
        }
    }

    /// Writes `line`, which ends with a newline. Gives up when the destination fails permanently: there is nowhere to
    /// report that, and a service must not end because its log did.
    func write(_ line: [UInt8]) {
        switch kind {
        case .descriptor(let descriptor): Self.writeAll(line, to: descriptor)
        case .function(let receive): receive(String(decoding: line.dropLast(), as: UTF8.self))
        }
    }

    /// Whether it is a terminal with colors that the user has not disabled (`NO_COLOR`, `TERM=dumb`).
    private static func isColorTerminal(_ descriptor: Int32) -> Bool {
        guard isatty(descriptor) == 1, getenv("NO_COLOR") == nil else { return false }
        guard let terminal = getenv("TERM") else { return false }
        return strcmp(terminal, "dumb") != 0
    }

    /// Writes all bytes, across interruptions and to non-blocking descriptors. Gives up on other errors.
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
