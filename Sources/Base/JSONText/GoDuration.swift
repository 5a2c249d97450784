/// Durations in Go's format: `90s`, `1h30m`, `1.5h`, `100ms`. Commands and flags use it.
public enum GoDuration {
    /// Parses a duration: an optional sign and one or more decimal numbers, each with a unit: `h`, `m`, `s`, `ms`, `us`
    /// (or `µs`), `ns`. A bare `0` needs no unit. Fractions of a nanosecond are truncated.
    /// - Returns: `nil` when the text is invalid or exceeds Go's 64 bits of nanoseconds, about 292 years.
    public static func parse(_ text: String) -> Duration? {
        var rest = Substring(text).utf8[...]
        let isNegative = rest.first == UInt8(ascii: "-")
        if isNegative || rest.first == UInt8(ascii: "+") { rest = rest.dropFirst() }
        if rest.elementsEqual("0".utf8) { return .zero }
        guard !rest.isEmpty else { return nil }
        var total: Int64 = 0
        while !rest.isEmpty {
            guard let part = readPart(&rest) else { return nil }
            let (sum, overflow) = total.addingReportingOverflow(part)
            guard !overflow else { return nil }
            total = sum
        }
        return .nanoseconds(isNegative ? -total : total)
    }

    /// Formats a duration as Go does: `1h30m0s`, `1.5s`, `100ms`, `0s`. Fractions of a nanosecond are truncated.
    public static func string(_ duration: Duration) -> String {
        let (seconds, attoseconds) = duration.components
        let isNegative = seconds < 0 || attoseconds < 0
        let whole = seconds.magnitude
        let nanos = attoseconds.magnitude / 1_000_000_000
        let sign = isNegative ? "-" : ""
        if whole == 0 {
            switch nanos {
            case 0: return "0s"
            case ..<1000: return "\(sign)\(nanos)ns"
            case ..<1_000_000: return "\(sign)\(decimal(nanos / 1000, nanos % 1000, digits: 3))µs"
            default: return "\(sign)\(decimal(nanos / 1_000_000, nanos % 1_000_000, digits: 6))ms"
            }
        }
        let ofMinute = "\(decimal(whole % 60, nanos, digits: 9))s"
        if whole < 60 { return "\(sign)\(ofMinute)" }
        if whole < 3600 { return "\(sign)\(whole / 60)m\(ofMinute)" }
        return "\(sign)\(whole / 3600)h\(whole / 60 % 60)m\(ofMinute)"
    }

    private static func decimal(_ whole: UInt64, _ fraction: UInt64, digits: Int) -> String {
        guard fraction > 0 else { return "\(whole)" }
        let text = String(fraction)
        var padded = String(repeating: "0", count: digits - text.utf8.count) + text
        while padded.utf8.last == UInt8(ascii: "0") { padded.removeLast() }
        return "\(whole).\(padded)"
    }

    /// Parses one number with its unit, in nanoseconds.
    private static func readPart(_ rest: inout Substring.UTF8View.SubSequence) -> Int64? {
        let whole = rest.prefix(while: isDigit)
        rest = rest.dropFirst(whole.count)
        var fraction = rest.prefix(0)
        if rest.first == UInt8(ascii: ".") {
            rest = rest.dropFirst()
            fraction = rest.prefix(while: isDigit)
            rest = rest.dropFirst(fraction.count)
        }
        guard !whole.isEmpty || !fraction.isEmpty else { return nil }
        let name = rest.prefix { !isDigit($0) && $0 != UInt8(ascii: ".") }
        rest = rest.dropFirst(name.count)
        guard let unit = nanoseconds(ofUnit: String(Substring(name))) else { return nil }

        var value: Int64 = 0
        for digit in whole {
            let (tenfold, tooLarge) = value.multipliedReportingOverflow(by: 10)
            let (sum, stillTooLarge) = tenfold.addingReportingOverflow(Int64(digit - UInt8(ascii: "0")))
            guard !tooLarge, !stillTooLarge else { return nil }
            value = sum
        }
        let (nanos, overflow) = value.multipliedReportingOverflow(by: unit)
        guard !overflow else { return nil }
        // Further digits are less than a nanosecond even of an hour, the largest unit.
        var ofFraction: Int64 = 0
        var divisor: Int64 = 1
        for digit in fraction.prefix(13) {
            ofFraction = ofFraction * 10 + Int64(digit - UInt8(ascii: "0"))
            divisor *= 10
        }
        let product = ofFraction.multipliedFullWidth(by: unit)
        let (sum, sumOverflow) = nanos.addingReportingOverflow(divisor.dividingFullWidth(product).quotient)
        return sumOverflow ? nil : sum
    }

    private static func isDigit(_ byte: UInt8) -> Bool {
        byte &- UInt8(ascii: "0") < 10
    }

    private static func nanoseconds(ofUnit name: String) -> Int64? {
        switch name {
        case "h": 3_600_000_000_000
        case "m": 60_000_000_000
        case "s": 1_000_000_000
        case "ms": 1_000_000
        case "us", "\u{B5}s", "\u{3BC}s": 1000
        case "ns": 1
        default: nil
        }
    }
}
