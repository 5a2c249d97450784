/// A call from a client that waits for its answer.
///
/// It may be answered once, from any thread, at any time; later answers are ignored. A call that is released without an
/// answer is answered UNAVAILABLE, so no client waits forever.
public final class GRPCServerCall: Sendable {
    private let record: ServerCallRecord

    init(_ record: ServerCallRecord) { self.record = record }

    deinit {
        record.answer(.status(GRPCStatus(.unavailable, "the server dropped this call without an answer: try again")))
    }

    /// The method's path, as `/package.Service/Method`.
    public var path: String { record.head.path }

    /// The client's address in gRPC's form, as `ipv4:127.0.0.1:50000`. It does not authenticate the client.
    public var peer: String { record.connection.peer }

    /// What the server's authentication has returned.
    public var caller: (any AnyObject & Sendable)? { record.caller }

    /// The number of the connection that the call came on, unique in this process.
    public var connectionID: UInt64 { record.connection.id }

    /// Whether that connection has ended. Set before the handlers of `GRPCServer.onConnectionEnd` run.
    public var isConnectionEnded: Bool { record.connection.isEnded.load(ordering: .sequentiallyConsistent) }

    /// Lets `body` read the request in place. The bytes must not leave it.
    public func withRequest<Result, Failure: Error>(
        _ body: (UnsafeRawBufferPointer) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        defer { withExtendedLifetime(record) {} }
        return try body(record.request.bytes)
    }

    /// Frees the request's memory: a call may wait for long, and a compressed request is many times larger than on the
    /// wire. `withRequest` sees an empty request from now on. Call this in the handler, before another thread has the
    /// call.
    public func releaseRequest() { record.releaseRequest() }

    /// The time until the client's deadline, zero or less when it has passed; nil without a deadline.
    public var timeRemaining: Duration? { record.timeRemaining }

    /// The client's deadline, or nil.
    public var deadline: ContinuousClock.Instant? { record.deadline }

    /// The first value of a metadata entry, by its lowercase name, or nil. Invalid UTF-8 is replaced.
    public func metadata(_ key: String) -> String? {
        metadataBytes(key).map { String(decoding: $0, as: UTF8.self) }
    }

    /// The same as bytes. The value of a name that ends in `-bin` is decoded; nil when it is not valid base64.
    public func metadataBytes(_ key: String) -> [UInt8]? {
        guard let value = record.head.metadata.value(key) else { return nil }
        return key.hasSuffix("-bin") ? BinaryField.decoded(value) : Array(value)
    }

    /// Answers with a message.
    public func reply(_ bytes: [UInt8]) {
        record.answer(.message(bytes))
    }

    /// Answers with a message, given in parts.
    @_disfavoredOverload
    public func reply(_ parts: [[UInt8]]) {
        record.answer(.parts(parts))
    }

    /// Answers with a message, and reports whether it was sent: false when the client was gone or the call had an
    /// answer. True does not mean that the client has processed the message.
    ///
    /// - Parameter outcome: called once, on the server's thread, or at once when the answer comes too late.
    public func reply(_ bytes: [UInt8], outcome: @escaping @Sendable (_ delivered: Bool) -> Void) {
        record.answer(.message(bytes), outcome: outcome)
    }

    /// The same for a message in parts.
    @_disfavoredOverload
    public func reply(_ parts: [[UInt8]], outcome: @escaping @Sendable (_ delivered: Bool) -> Void) {
        record.answer(.parts(parts), outcome: outcome)
    }

    /// Answers with an error. `ok` and unknown codes are sent as UNKNOWN. A message or details that exceed what clients
    /// accept are shortened or left out.
    public func fail(_ status: GRPCStatus) {
        record.answer(.status(status))
    }

    /// Runs `handler` once, when the call is answered or cancelled: on the thread that answers, or on the server's,
    /// which it must not block. Call this in the method's handler, before another thread has the call.
    public func onEnd(_ handler: @escaping @Sendable () -> Void) { record.whenEnded = handler }

    /// Runs `handler` when the client cancels or disconnects, or its deadline passes, before there is an answer; at
    /// once if that has happened already; never after an answer. Several handlers run in their order.
    ///
    /// The handler runs on the server's thread and must not block. It should not retain the call.
    public func onCancel(_ handler: @escaping @Sendable () -> Void) {
        record.watch(handler)
    }
}
