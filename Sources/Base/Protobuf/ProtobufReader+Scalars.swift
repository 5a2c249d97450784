extension ProtobufReader {
    /// Reads a varint of up to ten bytes. Bits beyond 64 are dropped, as protobuf does.
    public mutating func varint() throws(ProtobufError) -> UInt64 {
        guard self.position < self.end else { throw .truncated }
        let first = self.position.pointee
        if first < 0x80 {
            self.position += 1
            return UInt64(first)
        }
        return try self.longVarint()
    }

    @inline(never)
    private mutating func longVarint() throws(ProtobufError) -> UInt64 {
        var result: UInt64 = 0
        var shift: UInt64 = 0
        while shift < 70 {
            guard self.position < self.end else { throw .truncated }
            let byte = self.position.pointee
            self.position += 1
            result |= UInt64(byte & 0x7F) << shift
            if byte < 0x80 { return result }
            shift += 7
        }
        throw .malformedVarint
    }

    /// Reads an `int32`, or the number of an enum value.
    public mutating func int32() throws(ProtobufError) -> Int32 { Int32(truncatingIfNeeded: try self.varint()) }

    /// Reads an `int64`.
    public mutating func int64() throws(ProtobufError) -> Int64 { Int64(bitPattern: try self.varint()) }

    /// Reads a `uint32`.
    public mutating func uint32() throws(ProtobufError) -> UInt32 { UInt32(truncatingIfNeeded: try self.varint()) }

    /// Reads a `uint64`.
    public mutating func uint64() throws(ProtobufError) -> UInt64 { try self.varint() }

    /// Reads a `sint32`.
    public mutating func sint32() throws(ProtobufError) -> Int32 {
        let value = try self.uint32()
        return Int32(bitPattern: value >> 1) ^ -Int32(value & 1)
    }

    /// Reads a `sint64`.
    public mutating func sint64() throws(ProtobufError) -> Int64 {
        let value = try self.varint()
        return Int64(bitPattern: value >> 1) ^ -Int64(value & 1)
    }

    /// Reads a `bool`.
    public mutating func bool() throws(ProtobufError) -> Bool { try self.varint() != 0 }

    /// Reads a `fixed32`.
    public mutating func fixed32() throws(ProtobufError) -> UInt32 {
        let start = self.position
        try self.advance(4)
        return UInt32(littleEndian: UnsafeRawPointer(start).loadUnaligned(as: UInt32.self))
    }

    /// Reads a `fixed64`.
    public mutating func fixed64() throws(ProtobufError) -> UInt64 {
        let start = self.position
        try self.advance(8)
        return UInt64(littleEndian: UnsafeRawPointer(start).loadUnaligned(as: UInt64.self))
    }

    /// Reads an `sfixed32`.
    public mutating func sfixed32() throws(ProtobufError) -> Int32 { Int32(bitPattern: try self.fixed32()) }

    /// Reads an `sfixed64`.
    public mutating func sfixed64() throws(ProtobufError) -> Int64 { Int64(bitPattern: try self.fixed64()) }

    /// Reads a `float`.
    public mutating func float() throws(ProtobufError) -> Float { Float(bitPattern: try self.fixed32()) }

    /// Reads a `double`.
    public mutating func double() throws(ProtobufError) -> Double { Double(bitPattern: try self.fixed64()) }

    /// Reads a length-delimited value without copying it. It is valid as long as the reader's memory.
    public mutating func slice() throws(ProtobufError) -> UnsafeRawBufferPointer {
        let lengthStart = self.position
        let count = try self.varint()
        guard count <= UInt64(self.end - self.position) else { throw .truncated }
        // Like a tag, a length has at most five bytes.
        guard self.position - lengthStart <= 5 else { throw .malformedVarint }
        let start = self.position
        self.position += Int(count)
        return UnsafeRawBufferPointer(start: start, count: Int(count))
    }

    /// Reads a `bytes` value.
    public mutating func bytes() throws(ProtobufError) -> [UInt8] { Array(try self.slice()) }

    /// Reads a `string`.
    public mutating func string() throws(ProtobufError) -> String {
        let slice = try self.slice()
        guard isValidUTF8(slice) else { throw .invalidUTF8(field: self.fieldNumber) }
        // Validated above, so this repairs nothing. `String(validating:as:)` is generic inside and much slower.
        return String(decoding: slice, as: UTF8.self)
    }
}
