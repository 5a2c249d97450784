internal import Glibc

/// A wall clock time in milliseconds since 1970, never earlier.
struct WallClockTime: Sendable, Equatable {
    var millisecondsSince1970: Int64

    static var now: WallClockTime {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        let milliseconds = Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000
        return WallClockTime(millisecondsSince1970: max(0, milliseconds))
    }

    /// Appends it in RFC 3339 format, in UTC: `2026-03-01T12:34:56.789Z`.
    func append(to line: inout [UInt8]) {
        var seconds = time_t(millisecondsSince1970 / 1000)
        var date = tm()
        gmtime_r(&seconds, &date)
        appendDigits(Int(date.tm_year) + 1900, 4, to: &line)
        line.append(UInt8(ascii: "-"))
        appendDigits(Int(date.tm_mon) + 1, 2, to: &line)
        line.append(UInt8(ascii: "-"))
        appendDigits(Int(date.tm_mday), 2, to: &line)
        line.append(UInt8(ascii: "T"))
        appendDigits(Int(date.tm_hour), 2, to: &line)
        line.append(UInt8(ascii: ":"))
        appendDigits(Int(date.tm_min), 2, to: &line)
        line.append(UInt8(ascii: ":"))
        appendDigits(Int(date.tm_sec), 2, to: &line)
        line.append(UInt8(ascii: "."))
        appendDigits(Int(millisecondsSince1970 % 1000), 3, to: &line)
        line.append(UInt8(ascii: "Z"))
    }

    private func appendDigits(_ value: Int, _ width: Int, to line: inout [UInt8]) {
        var divisor = 1
        for _ in 1..<width { divisor *= 10 }
        while divisor > 0 {
            line.append(UInt8(ascii: "0") + UInt8(value / divisor % 10))
            divisor /= 10
        }
    }
}
