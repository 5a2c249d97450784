public import SagamoreGRPC

/// One call that a client has made and that waits for its answer.
///
/// The answer may come from any thread, at any time, once; later ones are ignored. A call that nobody holds any more
/// and that has no answer is answered UNAVAILABLE, so no client waits for ever.
public final class GRPCServerCall: Sendable {
    private let record: ServerCallRecord

    init(_ record: ServerCallRecord) { self.record = record }

    deinit {
        record.answer(.status(GRPCStatus(.unavailable, "the server let go of this call without an answer")))
    }

    /// The method's path, as `/package.Service/Method`.
    public var path: String { record.head.path }

    /// The client's address in gRPC's form, as `ipv4:127.0.0.1:50000`.
    /// Nobody has checked it: it says nothing about who the client is.
    public var peer: String { record.connection.peer }

    /// The number of the connection that the call came on, unique in this process.
    public var connectionID: UInt64 { record.connection.id }

    /// Whether that connection has ended. True before the handlers of `GRPCServer.onConnectionEnd` are told.
    public var isConnectionEnded: Bool { record.connection.isEnded.load(ordering: .sequentiallyConsistent) }

    /// The request's size in bytes.
    public var requestLength: Int { record.request.bytes.count }

    /// Lets `body` read the request in place. The bytes must not leave it.
    public func withRequest<Result, Failure: Error>(
        _ body: (UnsafeRawBufferPointer) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        defer { withExtendedLifetime(record) {} }
        return try body(record.request.bytes)
    }

    /// Gives the request's memory back: a call may wait for long, and the request of one that came compressed is many
    /// times what it was on the wire. `withRequest` finds it empty from now on. For the handler, before it lets anybody
    /// else have the call.
    public func releaseRequest() { record.releaseRequest() }

    /// How long the client still waits (zero or less: no longer); nil: it waits for ever.
    public var timeRemaining: Duration? { record.timeRemaining }

    /// The instant up to which the client waits; nil: it waits for ever.
    public var deadline: ContinuousClock.Instant? { record.deadline }

    /// The first value of a metadata entry, by its name in lower case; nil when there is none. What is no UTF-8 in it
    /// is replaced.
    public func metadata(_ key: String) -> String? {
        metadataBytes(key).map { String(decoding: $0, as: UTF8.self) }
    }

    /// The same as bytes. Names that end in `-bin` are of values that need not be text; nil when one can't be decoded.
    public func metadataBytes(_ key: String) -> [UInt8]? {
        guard let value = record.head.metadata.value(key) else { return nil }
        return key.hasSuffix("-bin") ? BinaryField.decoded(value) : Array(value)
    }

    /// Adds an entry to the metadata that goes with the answer. False when the name or the value is not allowed: names
    /// are lower case, and values are printable ASCII unless the name ends in `-bin`.
    @discardableResult
    public func addTrailingMetadata(_ key: String, _ value: [UInt8]) -> Bool {
        guard ResponseFields.isAllowed(key, value) else { return false }
        record.addTrailer(key, value)
        return true
    }

    /// Answers with a message.
    public func reply(_ bytes: [UInt8]) {
        record.answer(.message(bytes))
    }

    /// Answers with a message that is these pieces, one after the other.
    @_disfavoredOverload
    public func reply(_ parts: [[UInt8]]) {
        record.answer(.parts(parts))
    }

    /// Answers with a message, and says afterwards whether it went out to the client: false when the client had gone,
    /// or when the call had an answer. True does not mean that the client has dealt with it.
    ///
    /// - Parameter outcome: called once, on the server's thread or, when the answer is too late, at once.
    public func reply(_ bytes: [UInt8], outcome: @escaping @Sendable (_ delivered: Bool) -> Void) {
        record.answer(.message(bytes), outcome: outcome)
    }

    /// The same for a message in pieces.
    @_disfavoredOverload
    public func reply(_ parts: [[UInt8]], outcome: @escaping @Sendable (_ delivered: Bool) -> Void) {
        record.answer(.parts(parts), outcome: outcome)
    }

    /// Answers with an error. `ok` and unknown codes are sent as UNKNOWN; a message or details too long for what
    /// clients accept are shortened or left out.
    public func fail(_ status: GRPCStatus) {
        record.answer(.status(status))
    }

    /// Runs `handler` when the client gives up, goes away, or its deadline passes before there is an answer; at once if
    /// that is so already; never after an answer. Several handlers are run in their order.
    ///
    /// The handler runs on the server's thread and must not block. It should not hold the call itself.
    public func onCancel(_ handler: @escaping @Sendable () -> Void) {
        record.watch(handler)
    }
}
