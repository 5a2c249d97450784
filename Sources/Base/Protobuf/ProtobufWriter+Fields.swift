extension ProtobufWriter {
    /// Writes an `int32` field, or the number of an enum value.
    public mutating func int32(_ field: Int, _ value: Int32) { self.uint64(field, UInt64(bitPattern: Int64(value))) }

    /// Writes an `int64` field.
    public mutating func int64(_ field: Int, _ value: Int64) { self.uint64(field, UInt64(bitPattern: value)) }

    /// Writes a `uint32` field.
    public mutating func uint32(_ field: Int, _ value: UInt32) { self.uint64(field, UInt64(value)) }

    /// Writes a `uint64` field.
    public mutating func uint64(_ field: Int, _ value: UInt64) {
        self.varint(value)
        self.tag(field, .varint)
    }

    /// Writes a `sint32` field.
    public mutating func sint32(_ field: Int, _ value: Int32) {
        self.uint64(field, UInt64(UInt32(bitPattern: (value << 1) ^ (value >> 31))))
    }

    /// Writes a `sint64` field.
    public mutating func sint64(_ field: Int, _ value: Int64) {
        self.uint64(field, UInt64(bitPattern: (value << 1) ^ (value >> 63)))
    }

    /// Writes a `bool` field.
    public mutating func bool(_ field: Int, _ value: Bool) { self.uint64(field, value ? 1 : 0) }

    /// Writes a `fixed32` field.
    public mutating func fixed32(_ field: Int, _ value: UInt32) {
        self.fourBytes(value)
        self.tag(field, .fixed32)
    }

    /// Writes a `fixed64` field.
    public mutating func fixed64(_ field: Int, _ value: UInt64) {
        self.eightBytes(value)
        self.tag(field, .fixed64)
    }

    /// Writes an `sfixed32` field.
    public mutating func sfixed32(_ field: Int, _ value: Int32) { self.fixed32(field, UInt32(bitPattern: value)) }

    /// Writes an `sfixed64` field.
    public mutating func sfixed64(_ field: Int, _ value: Int64) { self.fixed64(field, UInt64(bitPattern: value)) }

    /// Writes a `float` field.
    public mutating func float(_ field: Int, _ value: Float) { self.fixed32(field, value.bitPattern) }

    /// Writes a `double` field.
    public mutating func double(_ field: Int, _ value: Double) { self.fixed64(field, value.bitPattern) }

    /// Writes a `string` field.
    public mutating func string(_ field: Int, _ value: String) {
        let end = self.count
        var value = value
        value.withUTF8 { self.raw(UnsafeRawBufferPointer($0)) }
        self.lengthDelimited(field, since: end)
    }

    /// Writes a `bytes` field.
    public mutating func bytes(_ field: Int, _ value: [UInt8]) { self.lengthDelimited(field, value) }

    /// Writes bytes with their length: a `bytes` field, or an encoded message.
    public mutating func lengthDelimited(_ field: Int, _ value: [UInt8]) {
        self.raw(value)
        self.varint(UInt64(value.count))
        self.tag(field, .lengthDelimited)
    }

    /// Writes bytes with their length: a `bytes` field, or an encoded message.
    public mutating func lengthDelimited(_ field: Int, _ value: UnsafeRawBufferPointer) {
        self.raw(value)
        self.varint(UInt64(value.count))
        self.tag(field, .lengthDelimited)
    }

    /// Turns everything written since ``count`` was `end` into the value of a length-delimited field.
    public mutating func lengthDelimited(_ field: Int, since end: Int) {
        self.varint(UInt64(self.count - end))
        self.tag(field, .lengthDelimited)
    }

    // MARK: Fields without presence: the default is omitted

    /// Writes an `int32` field unless it is 0.
    public mutating func int32(_ field: Int, omittingDefault value: Int32) {
        if value != 0 { self.int32(field, value) }
    }

    /// Writes an `int64` field unless it is 0.
    public mutating func int64(_ field: Int, omittingDefault value: Int64) {
        if value != 0 { self.int64(field, value) }
    }

    /// Writes a `uint32` field unless it is 0.
    public mutating func uint32(_ field: Int, omittingDefault value: UInt32) {
        if value != 0 { self.uint32(field, value) }
    }

    /// Writes a `uint64` field unless it is 0.
    public mutating func uint64(_ field: Int, omittingDefault value: UInt64) {
        if value != 0 { self.uint64(field, value) }
    }

    /// Writes a `sint32` field unless it is 0.
    public mutating func sint32(_ field: Int, omittingDefault value: Int32) {
        if value != 0 { self.sint32(field, value) }
    }

    /// Writes a `sint64` field unless it is 0.
    public mutating func sint64(_ field: Int, omittingDefault value: Int64) {
        if value != 0 { self.sint64(field, value) }
    }

    /// Writes a `bool` field unless it is false.
    public mutating func bool(_ field: Int, omittingDefault value: Bool) {
        if value { self.bool(field, value) }
    }

    /// Writes a `fixed32` field unless it is 0.
    public mutating func fixed32(_ field: Int, omittingDefault value: UInt32) {
        if value != 0 { self.fixed32(field, value) }
    }

    /// Writes a `fixed64` field unless it is 0.
    public mutating func fixed64(_ field: Int, omittingDefault value: UInt64) {
        if value != 0 { self.fixed64(field, value) }
    }

    /// Writes an `sfixed32` field unless it is 0.
    public mutating func sfixed32(_ field: Int, omittingDefault value: Int32) {
        if value != 0 { self.sfixed32(field, value) }
    }

    /// Writes an `sfixed64` field unless it is 0.
    public mutating func sfixed64(_ field: Int, omittingDefault value: Int64) {
        if value != 0 { self.sfixed64(field, value) }
    }

    /// Writes a `float` field unless its bits are those of 0. Negative zero is written.
    public mutating func float(_ field: Int, omittingDefault value: Float) {
        if value.bitPattern != 0 { self.float(field, value) }
    }

    /// Writes a `double` field unless its bits are those of 0. Negative zero is written.
    public mutating func double(_ field: Int, omittingDefault value: Double) {
        if value.bitPattern != 0 { self.double(field, value) }
    }

    /// Writes a `string` field unless it is empty.
    public mutating func string(_ field: Int, omittingDefault value: String) {
        if !value.isEmpty { self.string(field, value) }
    }

    /// Writes a `bytes` field unless it is empty.
    public mutating func bytes(_ field: Int, omittingDefault value: [UInt8]) {
        if !value.isEmpty { self.bytes(field, value) }
    }

    // MARK: Messages and repeated fields

    /// Writes a message field.
    @inlinable @inline(never)
    public mutating func message<Message: ProtobufMessage>(_ field: Int, _ value: Message) {
        let end = self.count
        value.encode(into: &self)
        self.lengthDelimited(field, since: end)
    }

    /// Writes a message field unless it is nil.
    @inlinable
    public mutating func message<Message: ProtobufMessage>(_ field: Int, _ value: Message?) {
        if let value { self.message(field, value) }
    }

    /// Writes a repeated message field.
    @inlinable @inline(never)
    public mutating func message<Message: ProtobufMessage>(_ field: Int, _ values: [Message]) {
        for value in values.reversed() { self.message(field, value) }
    }

    /// Writes a message field from its bytes.
    @inlinable
    public mutating func message<Message>(_ field: Int, _ value: RawMessage<Message>) {
        self.lengthDelimited(field, value.storage)
    }

    /// Writes a message field from its bytes unless it is nil.
    @inlinable
    public mutating func message<Message>(_ field: Int, _ value: RawMessage<Message>?) {
        if let value { self.lengthDelimited(field, value.storage) }
    }

    /// Writes a repeated message field from its elements' bytes.
    @inlinable
    public mutating func message<Message>(_ field: Int, _ values: [RawMessage<Message>]) {
        for value in values.reversed() { self.lengthDelimited(field, value.storage) }
    }

    /// Writes a repeated `string` field.
    public mutating func string(_ field: Int, _ values: [String]) {
        for value in values.reversed() { self.string(field, value) }
    }

    /// Writes a repeated `bytes` field.
    public mutating func bytes(_ field: Int, _ values: [[UInt8]]) {
        for value in values.reversed() { self.bytes(field, value) }
    }
}
