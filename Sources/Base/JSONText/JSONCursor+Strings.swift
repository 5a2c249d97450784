extension JSONCursor {
    /// A string in the text.
    struct RawString {
        /// The range between the quotes.
        var content: Range<Int>
        /// Whether `content` contains escapes.
        var hasEscapes: Bool
    }

    /// Skips a string and checks its UTF-8, control characters and escapes.
    mutating func skipString() throws(JSONError) -> RawString {
        try skip(UInt8(ascii: "\""))
        let first = offset
        var hasEscapes = false
        while true {
            skipPlainBytes()
            guard let next = byte else { throw JSONError(.unexpectedEnd, at: offset) }
            switch next {
            case UInt8(ascii: "\""):
                let content = first..<offset
                offset += 1
                return RawString(content: content, hasEscapes: hasEscapes)
            case UInt8(ascii: "\\"):
                hasEscapes = true
                try skipEscape()
            case 0x80...:
                try skipMultibyteScalar(next)
            default:
                throw JSONError(.controlCharacter, at: offset)
            }
        }
    }

    /// Skips plain ASCII, eight bytes at a time.
    @inline(__always)
    private mutating func skipPlainBytes() {
        let ones: UInt64 = 0x0101_0101_0101_0101
        let highs: UInt64 = 0x8080_8080_8080_8080
        while end - offset >= 8 {
            let word = UnsafeRawPointer(start + offset).loadUnaligned(as: UInt64.self)
            // Each term sets a byte's high bit when the byte is a quote, a backslash, below 0x20 or not ASCII. Borrows
            // may mark higher bytes as well, which only costs a slower step.
            let quotes = word ^ (ones &* 0x22)
            let backslashes = word ^ (ones &* 0x5C)
            let marks = (quotes &- ones) | (backslashes &- ones) | (word &- ones &* 0x20) | word
            if marks & highs != 0 { break }
            offset += 8
        }
        while offset < end {
            let next = start[offset]
            if next < 0x20 || next >= 0x80 || next == 0x22 || next == 0x5C { return }
            offset += 1
        }
    }

    private mutating func skipEscape() throws(JSONError) {
        let escape = offset
        offset += 1
        guard let letter = byte else { throw JSONError(.unexpectedEnd, at: offset) }
        offset += 1
        switch letter {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"), UInt8(ascii: "b"), UInt8(ascii: "f"),
            UInt8(ascii: "n"), UInt8(ascii: "r"), UInt8(ascii: "t"):
            return
        case UInt8(ascii: "u"):
            let unit = try skipFourDigits(of: escape)
            if UTF16.isTrailSurrogate(unit) { throw JSONError(.loneSurrogate, at: escape) }
            guard UTF16.isLeadSurrogate(unit) else { return }
            guard end - offset >= 2, start[offset] == UInt8(ascii: "\\"), start[offset + 1] == UInt8(ascii: "u") else {
                throw JSONError(.loneSurrogate, at: escape)
            }
            offset += 2
            guard UTF16.isTrailSurrogate(try skipFourDigits(of: offset - 2)) else {
                throw JSONError(.loneSurrogate, at: escape)
            }
        default:
            throw JSONError(.invalidEscape, at: escape)
        }
    }

    private mutating func skipFourDigits(of escape: Int) throws(JSONError) -> UInt16 {
        var unit: UInt16 = 0
        for _ in 0..<4 {
            guard let digit = byte else { throw JSONError(.unexpectedEnd, at: offset) }
            guard let value = Self.hexadecimalValue(digit) else { throw JSONError(.invalidEscape, at: escape) }
            unit = unit << 4 | UInt16(value)
            offset += 1
        }
        return unit
    }

    private static func hexadecimalValue(_ digit: UInt8) -> UInt8? {
        switch digit {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): digit - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): digit - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): digit - UInt8(ascii: "A") + 10
        default: nil
        }
    }

    /// Skips a valid scalar of two to four bytes: shortest form, no surrogate, at most U+10FFFF.
    private mutating func skipMultibyteScalar(_ lead: UInt8) throws(JSONError) {
        let count: Int
        let second: ClosedRange<UInt8>
        switch lead {
        case 0xC2...0xDF: (count, second) = (2, 0x80...0xBF)
        case 0xE0: (count, second) = (3, 0xA0...0xBF)
        case 0xED: (count, second) = (3, 0x80...0x9F)
        case 0xE1...0xEF: (count, second) = (3, 0x80...0xBF)
        case 0xF0: (count, second) = (4, 0x90...0xBF)
        case 0xF1...0xF3: (count, second) = (4, 0x80...0xBF)
        case 0xF4: (count, second) = (4, 0x80...0x8F)
        default: throw JSONError(.invalidUTF8, at: offset)
        }
        guard end - offset >= count else { throw JSONError(.invalidUTF8, at: offset) }
        guard second.contains(start[offset + 1]) else { throw JSONError(.invalidUTF8, at: offset) }
        for index in 2..<4 where index < count {
            guard start[offset + index] & 0xC0 == 0x80 else { throw JSONError(.invalidUTF8, at: offset) }
        }
        offset += count
    }

    /// The text of a string that `skipString` has checked.
    func text(of string: RawString) -> String {
        let content = UnsafeBufferPointer(start: start + string.content.lowerBound, count: string.content.count)
        guard string.hasEscapes else { return String(decoding: content, as: UTF8.self) }
        return String(unsafeUninitializedCapacity: content.count) { unescape(content, into: $0) }
    }

    /// Escapes are longer than their characters, so the content's length suffices for `output`.
    private func unescape(_ content: UnsafeBufferPointer<UInt8>, into output: UnsafeMutableBufferPointer<UInt8>) -> Int
    {
        var read = 0
        var written = 0
        func put(_ byte: UInt8) {
            output[written] = byte
            written += 1
        }
        func unit() -> UInt32 {
            var value: UInt32 = 0
            for _ in 0..<4 {
                value = value << 4 | UInt32(Self.hexadecimalValue(content[read])!)
                read += 1
            }
            return value
        }
        while read < content.count {
            guard content[read] == UInt8(ascii: "\\") else {
                put(content[read])
                read += 1
                continue
            }
            let letter = content[read + 1]
            read += 2
            switch letter {
            case UInt8(ascii: "b"): put(0x08)
            case UInt8(ascii: "f"): put(0x0C)
            case UInt8(ascii: "n"): put(0x0A)
            case UInt8(ascii: "r"): put(0x0D)
            case UInt8(ascii: "t"): put(0x09)
            case UInt8(ascii: "u"):
                var value = unit()
                if UTF16.isLeadSurrogate(UInt16(value)) {
                    read += 2
                    value = 0x10000 + ((value & 0x3FF) << 10) + (unit() & 0x3FF)
                }
                let scalar = Unicode.Scalar(value)!
                for byte in UTF8.encode(scalar)! { put(byte) }
            default: put(letter)
            }
        }
        return written
    }
}
