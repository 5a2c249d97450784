extension ProtobufTimestamp {
    /// An instant: seconds since 1970 in UTC, and nanoseconds (0 to 999,999,999) after them.
    public init(seconds: Int64, nanos: Int32) {
        self.init()
        self.seconds = seconds
        self.nanos = nanos
    }
}

extension ProtobufDuration {
    /// A span of time: seconds, and nanoseconds of the same sign.
    public init(seconds: Int64, nanos: Int32) {
        self.init()
        self.seconds = seconds
        self.nanos = nanos
    }
}

extension ProtobufFieldMask {
    /// A mask of these paths.
    public init(paths: [String]) {
        self.init()
        self.paths = paths
    }
}

extension ProtobufAny {
    /// Encodes a message together with its type's name.
    public init<Message: ProtobufMessage>(packing message: Message) {
        self.init()
        self.typeURL = "type.googleapis.com/" + Message.protobufMessageName
        self.value = message.serializedBytes()
    }

    /// The full name of the packed message's type: the part after the last slash of the URL.
    public var packedMessageName: Substring {
        let name = self.typeURL.utf8.reversed().prefix { $0 != UInt8(ascii: "/") }.count
        return self.typeURL[self.typeURL.utf8.index(self.typeURL.utf8.endIndex, offsetBy: -name)...]
    }

    /// Decodes the packed message, or returns nil when it has another type.
    /// - Throws: ``ProtobufError`` when the type matches and the bytes are invalid.
    public func unpacked<Message: ProtobufMessage>(
        as type: Message.Type = Message.self
    ) throws(ProtobufError) -> Message? {
        guard self.packedMessageName == Message.protobufMessageName else { return nil }
        return try Message(serializedBytes: self.value)
    }
}
