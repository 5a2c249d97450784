extension ProtobufReader {
    /// Enters a length-delimited message: until ``leave(_:)``, the reader ends at that message's end.
    /// - Returns: the argument for ``leave(_:)``.
    public mutating func enter() throws(ProtobufError) -> Scope {
        let slice = try self.slice()
        guard self.depth > 0 else { throw .depthExceeded }
        let scope = Scope(end: self.end)
        self.depth -= 1
        self.end = self.position
        self.position -= slice.count
        return scope
    }

    /// Continues after the entered message, even if it has not been read completely.
    public mutating func leave(_ scope: Scope) {
        self.position = self.end
        self.end = scope.end
        self.depth += 1
    }

    /// The message around the entered one.
    public struct Scope {
        let end: UnsafePointer<UInt8>
    }

    /// Reads a message and merges it into `message`.
    @inlinable @inline(never)
    public mutating func message<Message: ProtobufMessage>(_ message: inout Message) throws(ProtobufError) {
        let scope = try self.enter()
        try message.merge(from: &self)
        self.leave(scope)
    }

    /// Reads a message and merges it into `message`, creating that when it is nil.
    @inlinable @inline(never)
    public mutating func message<Message: ProtobufMessage>(_ message: inout Message?) throws(ProtobufError) {
        let scope = try self.enter()
        if message == nil { message = Message() }
        try message!.merge(from: &self)
        self.leave(scope)
    }

    /// Reads a message and appends it.
    @inlinable @inline(never)
    public mutating func message<Message: ProtobufMessage>(_ messages: inout [Message]) throws(ProtobufError) {
        let scope = try self.enter()
        var message = Message()
        try message.merge(from: &self)
        messages.append(message)
        self.leave(scope)
    }

    /// Checks a message and appends its bytes to `message`: that merges encoded messages.
    @inlinable
    public mutating func message<Message>(_ message: inout RawMessage<Message>) throws(ProtobufError) {
        try self.raw(Message.protobufFields, &message.storage)
    }

    /// Checks a message and appends its bytes to `message`, creating that when it is nil.
    @inlinable
    public mutating func message<Message>(_ message: inout RawMessage<Message>?) throws(ProtobufError) {
        var bytes = message?.storage ?? []
        // Otherwise the bytes would have two owners and be copied for each part: minutes for a message of many parts.
        message = nil
        try self.raw(Message.protobufFields, &bytes)
        message = RawMessage(uncheckedBytes: bytes)
    }

    /// Checks a message and appends its bytes as a new element.
    @inlinable
    public mutating func message<Message>(_ messages: inout [RawMessage<Message>]) throws(ProtobufError) {
        var bytes: [UInt8] = []
        try self.raw(Message.protobufFields, &bytes)
        messages.append(RawMessage(uncheckedBytes: bytes))
    }

    /// Reads a length-delimited message, checks it against `fields` and appends its bytes.
    @usableFromInline
    mutating func raw(_ fields: ProtobufFields, _ bytes: inout [UInt8]) throws(ProtobufError) {
        let scope = try self.enter()
        let slice = UnsafeBufferPointer(start: self.position, count: self.remaining)
        try self.check(fields)
        self.leave(scope)
        if bytes.isEmpty { bytes = Array(slice) } else { bytes.append(contentsOf: slice) }
    }
}
