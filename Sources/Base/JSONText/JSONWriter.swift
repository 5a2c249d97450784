/// Writes JSON into a buffer, from left to right. It inserts commas; the caller is responsible for matching brackets
/// and for the keys of members.
///
/// ```swift
/// var json = JSONWriter()
/// json.beginObject()
/// json.key("status")
/// json.string("passed")
/// json.endObject()
/// ```
///
/// Values on the outermost level are separated by commas too, so a writer holds one text. `removeAll()` starts a new
/// one and keeps the memory.
public struct JSONWriter: Sendable {
    /// The written bytes.
    public private(set) var bytes: [UInt8]

    /// Whether the current object or array already has a value.
    private var needsComma = false

    /// - Parameter capacity: The number of bytes to reserve.
    public init(capacity: Int = 0) {
        bytes = []
        bytes.reserveCapacity(capacity)
    }

    /// Discards the written bytes and keeps the memory.
    public mutating func removeAll() {
        bytes.removeAll(keepingCapacity: true)
        needsComma = false
    }

    /// Opens an object: members follow, each a key and a value.
    public mutating func beginObject() {
        separate()
        bytes.append(UInt8(ascii: "{"))
        needsComma = false
    }

    /// Closes the innermost object.
    public mutating func endObject() {
        bytes.append(UInt8(ascii: "}"))
        needsComma = true
    }

    /// Opens an array: values follow.
    public mutating func beginArray() {
        separate()
        bytes.append(UInt8(ascii: "["))
        needsComma = false
    }

    /// Closes the innermost array.
    public mutating func endArray() {
        bytes.append(UInt8(ascii: "]"))
        needsComma = true
    }

    /// The key of the value that follows.
    public mutating func key(_ key: String) {
        separate()
        JSONEscaping.append(key, to: &bytes)
        bytes.append(UInt8(ascii: ":"))
        needsComma = false
    }

    /// A string.
    public mutating func string(_ value: String) {
        separate()
        JSONEscaping.append(value, to: &bytes)
        needsComma = true
    }

    /// An integer.
    public mutating func int(_ value: Int64) {
        separate()
        appendDigits(value.magnitude, isNegative: value < 0)
        needsComma = true
    }

    /// An integer.
    public mutating func int(_ value: Int) {
        int(Int64(value))
    }

    /// A number in the shortest form that parses to the same double. Infinities and NaN become `null`, since JSON lacks
    /// them.
    public mutating func double(_ value: Double) {
        guard value.isFinite else { return null() }
        separate()
        bytes.append(contentsOf: value.description.utf8)
        needsComma = true
    }

    /// `true` or `false`.
    public mutating func bool(_ value: Bool) {
        separate()
        bytes.append(contentsOf: (value ? "true" : "false").utf8)
        needsComma = true
    }

    /// `null`.
    public mutating func null() {
        separate()
        bytes.append(contentsOf: "null".utf8)
        needsComma = true
    }

    /// A value that is already encoded. It is copied; the caller ensures that it is valid.
    public mutating func raw(_ value: [UInt8]) {
        separate()
        bytes.append(contentsOf: value)
        needsComma = true
    }

    /// A value that is already encoded. It is copied; the caller ensures that it is valid.
    public mutating func raw(_ value: UnsafeRawBufferPointer) {
        separate()
        bytes.append(contentsOf: value)
        needsComma = true
    }

    private mutating func separate() {
        if needsComma { bytes.append(UInt8(ascii: ",")) }
    }

    private mutating func appendDigits(_ magnitude: UInt64, isNegative: Bool) {
        withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 20) { digits in
            var first = 20
            var rest = magnitude
            repeat {
                first -= 1
                digits[first] = UInt8(ascii: "0") + UInt8(rest % 10)
                rest /= 10
            } while rest > 0
            if isNegative {
                first -= 1
                digits[first] = UInt8(ascii: "-")
            }
            bytes.append(contentsOf: digits[first...])
        }
    }
}

/// Escapes strings by RFC 8259: quotes, backslashes and control characters; everything else stays UTF-8.
enum JSONEscaping {
    /// Appends `text` in quotes.
    static func append(_ text: String, to bytes: inout [UInt8]) {
        var text = text
        bytes.append(UInt8(ascii: "\""))
        text.withUTF8 { utf8 in
            var plain = 0
            for index in 0..<utf8.count {
                let byte = utf8[index]
                guard byte < 0x20 || byte == 0x22 || byte == 0x5C else { continue }
                bytes.append(contentsOf: utf8[plain..<index])
                plain = index + 1
                appendEscape(of: byte, to: &bytes)
            }
            bytes.append(contentsOf: utf8[plain...])
        }
        bytes.append(UInt8(ascii: "\""))
    }

    private static func appendEscape(of byte: UInt8, to bytes: inout [UInt8]) {
        bytes.append(UInt8(ascii: "\\"))
        switch byte {
        case 0x08: bytes.append(UInt8(ascii: "b"))
        case 0x09: bytes.append(UInt8(ascii: "t"))
        case 0x0A: bytes.append(UInt8(ascii: "n"))
        case 0x0C: bytes.append(UInt8(ascii: "f"))
        case 0x0D: bytes.append(UInt8(ascii: "r"))
        case 0x22, 0x5C: bytes.append(byte)
        default:
            bytes.append(contentsOf: "u00".utf8)
            for digit in [byte >> 4, byte & 15] {
                bytes.append(digit < 10 ? UInt8(ascii: "0") + digit : UInt8(ascii: "a") + digit - 10)
            }
        }
    }
}
