extension [UInt8] {
    /// Appends the tag and the length of a protobuf field whose `length` bytes follow elsewhere.
    mutating func appendLengthDelimited(field: Int, length: Int) {
        appendVarint(UInt64(field) << 3 | 2)
        appendVarint(UInt64(length))
    }

    private mutating func appendVarint(_ value: UInt64) {
        var rest = value
        while rest >= 0x80 {
            append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        append(UInt8(rest))
    }
}
