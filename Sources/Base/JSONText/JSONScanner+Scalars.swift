/// Parses scalars from the raw bytes of a member's `range`. Each function validates its input, so any bytes are safe.
/// The bytes hold only the value; offsets of errors count from their start.
extension JSONScanner {
    /// The text of a string, unescaped.
    /// - Throws: `JSONError`: `wrongKind` when it is not a string.
    public static func string(_ value: UnsafeRawBufferPointer) throws(JSONError) -> String {
        var cursor = try cursor(at: value, UInt8(ascii: "\"")...UInt8(ascii: "\""))
        let text = cursor.text(of: try cursor.skipString())
        try cursor.skipToEnd()
        return text
    }

    /// The value of an integer: a number without fraction and exponent.
    /// - Throws: `JSONError`: `wrongKind` when it is not an integer, `outOfRange` when it does not fit in 64 bits.
    public static func int64(_ value: UnsafeRawBufferPointer) throws(JSONError) -> Int64 {
        var cursor = try cursor(atNumber: value)
        let isInteger = try cursor.skipNumber()
        try cursor.skipToEnd()
        guard isInteger else { throw JSONError(.wrongKind, at: 0) }
        guard let integer = Int64(String(decoding: value, as: UTF8.self)) else { throw JSONError(.outOfRange, at: 0) }
        return integer
    }

    /// The value of a number, rounded to the nearest double.
    /// - Throws: `JSONError`: `wrongKind` when it is not a number, `outOfRange` when it is too large.
    public static func double(_ value: UnsafeRawBufferPointer) throws(JSONError) -> Double {
        var cursor = try cursor(atNumber: value)
        try cursor.skipNumber()
        try cursor.skipToEnd()
        guard let double = Double(String(decoding: value, as: UTF8.self)), double.isFinite else {
            throw JSONError(.outOfRange, at: 0)
        }
        return double
    }

    /// The value of `true` or `false`.
    /// - Throws: `JSONError`: `wrongKind` when it is neither.
    public static func bool(_ value: UnsafeRawBufferPointer) throws(JSONError) -> Bool {
        guard try validate(value, depthLimit: 1) == .bool else { throw JSONError(.wrongKind, at: 0) }
        return value[0] == UInt8(ascii: "t")
    }

    /// The text of the string at `range`, unescaped. See `string(_:)`.
    public static func string(_ bytes: [UInt8], _ range: Range<Int>) throws(JSONError) -> String {
        try read(bytes, range) { (value) throws(JSONError) in try string(value) }
    }

    /// The value of the integer at `range`. See `int64(_:)`.
    public static func int64(_ bytes: [UInt8], _ range: Range<Int>) throws(JSONError) -> Int64 {
        try read(bytes, range) { (value) throws(JSONError) in try int64(value) }
    }

    /// The value of the number at `range`. See `double(_:)`.
    public static func double(_ bytes: [UInt8], _ range: Range<Int>) throws(JSONError) -> Double {
        try read(bytes, range) { (value) throws(JSONError) in try double(value) }
    }

    /// The value of the boolean at `range`. See `bool(_:)`.
    public static func bool(_ bytes: [UInt8], _ range: Range<Int>) throws(JSONError) -> Bool {
        try read(bytes, range) { (value) throws(JSONError) in try bool(value) }
    }

    private static func read<Value>(
        _ bytes: [UInt8],
        _ range: Range<Int>,
        _ body: (UnsafeRawBufferPointer) throws(JSONError) -> Value
    ) throws(JSONError) -> Value {
        try withBuffer(of: bytes) { (buffer) throws(JSONError) in
            try body(UnsafeRawBufferPointer(rebasing: buffer[range]))
        }
    }

    private static func cursor(atNumber value: UnsafeRawBufferPointer) throws(JSONError) -> JSONCursor {
        if value.first == UInt8(ascii: "-") { return JSONCursor(value) }
        return try cursor(at: value, UInt8(ascii: "0")...UInt8(ascii: "9"))
    }

    private static func cursor(
        at value: UnsafeRawBufferPointer,
        _ first: ClosedRange<UInt8>
    ) throws(JSONError) -> JSONCursor {
        guard let byte = value.first else { throw JSONError(.unexpectedEnd, at: 0) }
        guard first.contains(byte) else { throw JSONError(.wrongKind, at: 0) }
        return JSONCursor(value)
    }
}
