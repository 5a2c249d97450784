internal import Glibc

/// What this room asks of the operating system.
enum SystemCalls {
    static func millisecondsSince1970() -> Int64 {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return max(0, Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000)
    }

    static func utcDate(
        secondsSince1970: Int64
    ) -> (year: Int, month: Int, day: Int, hour: Int, minute: Int, second: Int) {
        var seconds = time_t(secondsSince1970)
        var date = tm()
        gmtime_r(&seconds, &date)
        return (
            Int(date.tm_year) + 1900, Int(date.tm_mon) + 1, Int(date.tm_mday), Int(date.tm_hour), Int(date.tm_min),
            Int(date.tm_sec)
        )
    }

    /// A terminal that understands colours and whose user didn't switch them off (`NO_COLOR`, `TERM=dumb`).
    static func isColourTerminal(_ descriptor: Int32) -> Bool {
        guard isatty(descriptor) == 1, getenv("NO_COLOR") == nil else { return false }
        guard let terminal = getenv("TERM") else { return false }
        return strcmp(terminal, "dumb") != 0
    }

    /// Writes all bytes, also over interruptions and to a descriptor that doesn't block; gives up on other errors.
    static func writeAll(_ bytes: [UInt8], to descriptor: Int32) {
        bytes.withUnsafeBytes { buffer in
            var rest = buffer[...]
            while !rest.isEmpty {
                let written = write(descriptor, UnsafeRawBufferPointer(rebasing: rest).baseAddress, rest.count)
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
