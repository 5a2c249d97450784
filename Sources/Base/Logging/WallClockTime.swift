/// An instant of the machine's clock, in milliseconds since 1970, never before that.
struct WallClockTime: Sendable, Equatable {
    var millisecondsSince1970: Int64

    static var now: WallClockTime {
        WallClockTime(millisecondsSince1970: SystemCalls.millisecondsSince1970())
    }

    /// Appends it in RFC 3339's form, in UTC: `2026-03-01T12:34:56.789Z`.
    func append(to line: inout [UInt8]) {
        let date = SystemCalls.utcDate(secondsSince1970: millisecondsSince1970 / 1000)
        appendDigits(date.year, 4, to: &line)
        line.append(UInt8(ascii: "-"))
        appendDigits(date.month, 2, to: &line)
        line.append(UInt8(ascii: "-"))
        appendDigits(date.day, 2, to: &line)
        line.append(UInt8(ascii: "T"))
        appendDigits(date.hour, 2, to: &line)
        line.append(UInt8(ascii: ":"))
        appendDigits(date.minute, 2, to: &line)
        line.append(UInt8(ascii: ":"))
        appendDigits(date.second, 2, to: &line)
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
