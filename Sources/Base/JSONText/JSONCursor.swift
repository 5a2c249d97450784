/// A position in a JSON text, with the common parsing steps. It validates everything it skips.
///
/// It does not own the bytes: the creator keeps them alive and unchanged.
struct JSONCursor {
    /// The largest `depthLimit`: nesting is parsed recursively, and threads have small stacks.
    static let maximumDepth = 1000

    let start: UnsafePointer<UInt8>
    let end: Int
    var offset = 0

    init(_ bytes: UnsafeRawBufferPointer) {
        start = bytes.baseAddress?.assumingMemoryBound(to: UInt8.self) ?? Self.nothing
        end = bytes.count
    }

    /// The address of empty buffers; it is never read.
    private static var nothing: UnsafePointer<UInt8> {
        UnsafePointer(bitPattern: 1)!
    }

    @inline(__always)
    var byte: UInt8? {
        offset < end ? start[offset] : nil
    }

    @inline(__always)
    mutating func skipWhitespace() {
        while offset < end {
            switch start[offset] {
            case UInt8(ascii: " "), UInt8(ascii: "\n"), UInt8(ascii: "\r"), UInt8(ascii: "\t"): offset += 1
            default: return
            }
        }
    }

    /// The error for an unexpected byte or end.
    func unexpected() -> JSONError {
        JSONError(offset < end ? .unexpectedByte : .unexpectedEnd, at: offset)
    }

    @inline(__always)
    mutating func skip(_ expected: UInt8) throws(JSONError) {
        guard byte == expected else { throw unexpected() }
        offset += 1
    }

    /// Skips a comma or the closing bracket after a member or element.
    /// - Returns: Whether another one follows.
    @inline(__always)
    mutating func skipSeparator(closing: UInt8) throws(JSONError) -> Bool {
        skipWhitespace()
        switch byte {
        case UInt8(ascii: ","):
            offset += 1
            skipWhitespace()
            return true
        case closing:
            offset += 1
            return false
        default:
            throw unexpected()
        }
    }

    /// Skips the opening bracket and, when the object or array is empty, the closing one.
    /// - Returns: Whether it has contents.
    @inline(__always)
    mutating func enter(closing: UInt8) throws(JSONError) -> Bool {
        offset += 1
        skipWhitespace()
        guard byte == closing else { return true }
        offset += 1
        return false
    }

    /// Skips the colon after a key and the white space around it.
    @inline(__always)
    mutating func skipColon() throws(JSONError) {
        skipWhitespace()
        try skip(UInt8(ascii: ":"))
        skipWhitespace()
    }

    /// Checks that only white space is left.
    mutating func skipToEnd() throws(JSONError) {
        skipWhitespace()
        guard offset == end else { throw JSONError(.trailingBytes, at: offset) }
    }

    /// Skips and validates one value.
    /// - Parameter depth: The maximum number of nested objects and arrays.
    mutating func skipValue(depth: Int) throws(JSONError) -> JSONKind {
        guard let first = byte else { throw unexpected() }
        switch first {
        case UInt8(ascii: "\""):
            _ = try skipString()
            return .string
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"):
            try skipNumber()
            return .number
        case UInt8(ascii: "{"):
            guard depth > 0 else { throw JSONError(.tooDeep, at: offset) }
            guard try enter(closing: UInt8(ascii: "}")) else { return .object }
            repeat {
                _ = try skipString()
                try skipColon()
                _ = try skipValue(depth: depth - 1)
            } while try skipSeparator(closing: UInt8(ascii: "}"))
            return .object
        case UInt8(ascii: "["):
            guard depth > 0 else { throw JSONError(.tooDeep, at: offset) }
            guard try enter(closing: UInt8(ascii: "]")) else { return .array }
            repeat {
                _ = try skipValue(depth: depth - 1)
            } while try skipSeparator(closing: UInt8(ascii: "]"))
            return .array
        case UInt8(ascii: "t"):
            try skipWord("true")
            return .bool
        case UInt8(ascii: "f"):
            try skipWord("false")
            return .bool
        case UInt8(ascii: "n"):
            try skipWord("null")
            return .null
        default:
            throw unexpected()
        }
    }

    private mutating func skipWord(_ word: StaticString) throws(JSONError) {
        for index in 0..<word.utf8CodeUnitCount {
            try skip(word.utf8Start[index])
        }
    }

    /// Skips a number: `-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?`.
    /// - Returns: Whether it is an integer, without fraction and exponent.
    @discardableResult
    mutating func skipNumber() throws(JSONError) -> Bool {
        var isInteger = true
        if byte == UInt8(ascii: "-") { offset += 1 }
        if byte == UInt8(ascii: "0") {
            offset += 1
            if let next = byte, Self.isDigit(next) { throw JSONError(.invalidNumber, at: offset) }
        } else {
            try skipDigits()
        }
        if byte == UInt8(ascii: ".") {
            isInteger = false
            offset += 1
            try skipDigits()
        }
        if byte == UInt8(ascii: "e") || byte == UInt8(ascii: "E") {
            isInteger = false
            offset += 1
            if byte == UInt8(ascii: "+") || byte == UInt8(ascii: "-") { offset += 1 }
            try skipDigits()
        }
        return isInteger
    }

    private mutating func skipDigits() throws(JSONError) {
        guard let first = byte else { throw JSONError(.unexpectedEnd, at: offset) }
        guard Self.isDigit(first) else { throw JSONError(.invalidNumber, at: offset) }
        while let next = byte, Self.isDigit(next) { offset += 1 }
    }

    @inline(__always)
    static func isDigit(_ byte: UInt8) -> Bool {
        byte &- UInt8(ascii: "0") < 10
    }
}
