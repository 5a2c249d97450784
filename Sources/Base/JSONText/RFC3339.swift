/// Times in RFC 3339 format, as in JSON texts: `2026-03-01T12:34:56.789Z`.
public enum RFC3339 {
    /// The number of fractional digits. Finer parts are truncated, not rounded.
    public enum Precision: Int, Sendable {
        /// None, and no point.
        case seconds = 0
        /// Three.
        case milliseconds = 3
        /// Six.
        case microseconds = 6
        /// Nine.
        case nanoseconds = 9
    }

    /// The first and the last representable second: years 0 to 9999.
    static let representable: ClosedRange<Int64> = -62_167_219_200...253_402_300_799

    /// Formats a time in UTC.
    /// - Parameters:
    ///   - secondsSince1970: Whole seconds, clamped to the years 0 to 9999.
    ///   - nanos: Nanoseconds to add, clamped to 0 to 999,999,999.
    ///   - precision: The number of fractional digits.
    public static func string(
        secondsSince1970: Int64,
        nanos: Int32 = 0,
        precision: Precision = .milliseconds
    ) -> String {
        String(unsafeUninitializedCapacity: 30) { buffer in
            var writer = DigitWriter(buffer: buffer)
            writer.append(secondsSince1970: secondsSince1970, nanos: nanos, precision: precision)
            return writer.count
        }
    }

    /// Parses a time: `T` and `Z` in either case, up to nine fractional digits, `Z` or an offset (`+02:00`).
    /// - Returns: Seconds since 1970 and nanoseconds to add (0 to 999,999,999), or `nil` when the text is invalid,
    ///   names a day or time that does not exist (including leap seconds), or lies outside the years 0 to 9999.
    public static func parse(_ text: String) -> (secondsSince1970: Int64, nanos: Int32)? {
        var text = text
        return text.withUTF8 { utf8 in
            var reader = InstantReader(utf8: utf8)
            return reader.read()
        }
    }
}

/// Writes digits into memory of sufficient size.
private struct DigitWriter {
    let buffer: UnsafeMutableBufferPointer<UInt8>
    var count = 0

    mutating func append(secondsSince1970: Int64, nanos: Int32, precision: RFC3339.Precision) {
        let range = RFC3339.representable
        let seconds = min(max(secondsSince1970, range.lowerBound), range.upperBound)
        let nanos = Int(min(max(nanos, 0), 999_999_999))
        let day = Int((seconds - range.lowerBound) / 86_400)
        let second = Int((seconds - range.lowerBound) % 86_400)
        let date = CivilDate(daysSinceYear0: day)
        append(date.year, digits: 4, then: "-")
        append(date.month, digits: 2, then: "-")
        append(date.day, digits: 2, then: "T")
        append(second / 3600, digits: 2, then: ":")
        append(second / 60 % 60, digits: 2, then: ":")
        append(second % 60, digits: 2, then: precision == .seconds ? "Z" : ".")
        switch precision {
        case .seconds: break
        case .milliseconds: append(nanos / 1_000_000, digits: 3, then: "Z")
        case .microseconds: append(nanos / 1000, digits: 6, then: "Z")
        case .nanoseconds: append(nanos, digits: 9, then: "Z")
        }
    }

    private mutating func append(_ value: Int, digits: Int, then separator: Unicode.Scalar) {
        var rest = value
        for index in stride(from: count + digits - 1, through: count, by: -1) {
            buffer[index] = UInt8(ascii: "0") + UInt8(rest % 10)
            rest /= 10
        }
        buffer[count + digits] = UInt8(ascii: separator)
        count += digits + 1
    }
}

private struct InstantReader {
    let utf8: UnsafeBufferPointer<UInt8>
    var offset = 0

    mutating func read() -> (secondsSince1970: Int64, nanos: Int32)? {
        guard let year = number(digits: 4), skip("-"), let month = number(digits: 2), skip("-"),
            let day = number(digits: 2), skip("T") || skip("t"), let hour = number(digits: 2), skip(":"),
            let minute = number(digits: 2), skip(":"), let second = number(digits: 2),
            let nanos = fraction(), let offsetSeconds = zone(), offset == utf8.count
        else { return nil }
        guard let date = CivilDate(year: year, month: month, day: day), hour < 24, minute < 60, second < 60 else {
            return nil
        }
        let ofTheDay = hour * 3600 + minute * 60 + second
        let seconds = Int64(date.daysSinceYear0) * 86_400 + Int64(ofTheDay - offsetSeconds)
        let since1970 = seconds + RFC3339.representable.lowerBound
        guard RFC3339.representable.contains(since1970) else { return nil }
        return (since1970, nanos)
    }

    private mutating func number(digits: Int) -> Int? {
        guard utf8.count - offset >= digits else { return nil }
        var value = 0
        for _ in 0..<digits {
            let digit = utf8[offset] &- UInt8(ascii: "0")
            guard digit < 10 else { return nil }
            value = value * 10 + Int(digit)
            offset += 1
        }
        return value
    }

    private mutating func skip(_ expected: Unicode.Scalar) -> Bool {
        guard offset < utf8.count, utf8[offset] == UInt8(ascii: expected) else { return false }
        offset += 1
        return true
    }

    /// Parses an optional point with one to nine digits, as nanoseconds.
    private mutating func fraction() -> Int32? {
        guard skip(".") else { return 0 }
        var value: Int32 = 0
        var digits = 0
        while digits < 9, let digit = number(digits: 1) {
            value = value * 10 + Int32(digit)
            digits += 1
        }
        guard digits > 0 else { return nil }
        for _ in digits..<9 { value *= 10 }
        return value
    }

    /// The zone's distance from UTC in seconds.
    private mutating func zone() -> Int? {
        if skip("Z") || skip("z") { return 0 }
        let sign = skip("+") ? 1 : skip("-") ? -1 : 0
        guard sign != 0, let hours = number(digits: 2), skip(":"), let minutes = number(digits: 2), hours < 24,
            minutes < 60
        else { return nil }
        return sign * (hours * 3600 + minutes * 60)
    }
}
