internal import CSagamoreGRPC

/// One call, from the request posted for it to the last word of the C core about it.
///
/// Unchecked: `fields` and `request` are written before a handler sees the call (by the C core, then by the completion
/// thread) and only read afterwards, except `fields.cancelled`, which comes with its own event. The rest is under
/// `lock`.
final class ServerCallRecord: @unchecked Sendable {
    let slot: RequestSlot
    /// Where the C core writes.
    let fields: UnsafeMutablePointer<csagamore_server_call>
    let handover = Handover()
    private let table: CallTable<ServerCallRecord>
    private var request = UnsafeRawBufferPointer(start: nil, count: 0)
    /// The request, where it came compressed.
    private var inflated: MessageInflater.Message?

    private let lock: PlacedLock
    private var lifecycle = ServerCallLifecycle()
    /// Goes with the answer.
    private var trailers: [(key: String, value: [UInt8])] = []
    /// The C core's call, which owns the received metadata, is given back.
    private var isReleased = false

    init(slot: RequestSlot, table: CallTable<ServerCallRecord>) {
        self.slot = slot
        self.table = table
        fields = .allocate(capacity: 1)
        fields.initialize(to: csagamore_server_call())
        guard let mutex = fields.pointer(to: \.lock) else { fatalError("a field has no place") }
        lock = PlacedLock(at: mutex)
        grpc_metadata_array_init(&fields.pointee.metadata)
        grpc_call_details_init(&fields.pointee.details)
    }

    deinit {
        if !isReleased, let call = fields.pointee.call { grpc_call_unref(call) }
        inflated?.deallocate()
        grpc_slice_unref(fields.pointee.joined_request)
        if let payload = fields.pointee.payload { grpc_byte_buffer_destroy(payload) }
        grpc_metadata_array_destroy(&fields.pointee.metadata)
        grpc_call_details_destroy(&fields.pointee.details)
        lock.destroy()
        fields.deinitialize(count: 1)
        fields.deallocate()
    }

    // MARK: What came

    /// Called once, by the completion thread, before anybody else sees the record.
    ///
    /// - Throws: the status to answer with when there is no message, or none that can be unpacked.
    func receiveRequest(_ inflater: MessageInflater) throws(GRPCStatus) {
        guard let payload = fields.pointee.payload, let received = wholeRequest(payload) else {
            throw GRPCStatus(.internalError, "the call carried no message")
        }
        guard let algorithm = MessageInflater.Algorithm(payload.pointee.data.raw.compression) else {
            request = received
            return
        }
        let message = try inflater.inflate(received, algorithm)
        inflated = message
        request = UnsafeRawBufferPointer(message)
    }

    /// Nobody reads the request any more.
    func releaseRequest() {
        request = UnsafeRawBufferPointer(start: nil, count: 0)
        inflated?.deallocate()
        inflated = nil
        if let payload = fields.pointee.payload { grpc_byte_buffer_destroy(payload) }
        fields.pointee.payload = nil
        grpc_slice_unref(fields.pointee.joined_request)
        fields.pointee.joined_request = grpc_slice()
    }

    /// The bytes as they came, in one piece.
    private func wholeRequest(_ payload: UnsafeMutablePointer<grpc_byte_buffer>) -> UnsafeRawBufferPointer? {
        let length = grpc_byte_buffer_length(payload)
        guard length > 0 else { return UnsafeRawBufferPointer(start: nil, count: 0) }
        var reader = grpc_byte_buffer_reader()
        guard grpc_byte_buffer_reader_init(&reader, payload) != 0 else { return nil }
        defer { grpc_byte_buffer_reader_destroy(&reader) }
        var piece: UnsafeMutablePointer<grpc_slice>?
        if grpc_byte_buffer_reader_peek(&reader, &piece) != 0, let piece, csagamore_slice_length(piece) == length {
            return UnsafeRawBufferPointer(start: csagamore_slice_bytes(piece), count: length)
        }
        var whole = grpc_byte_buffer_reader()
        guard grpc_byte_buffer_reader_init(&whole, payload) != 0 else { return nil }
        defer { grpc_byte_buffer_reader_destroy(&whole) }
        // A short slice carries its bytes itself, so it has to stay where it is.
        fields.pointee.joined_request = grpc_byte_buffer_reader_readall(&whole)
        guard let joined = fields.pointer(to: \.joined_request) else { return nil }
        return UnsafeRawBufferPointer(start: csagamore_slice_bytes(joined), count: csagamore_slice_length(joined))
    }

    /// The request's bytes: they live as long as the record.
    var requestBytes: UnsafeRawBufferPointer { request }

    /// The path as the peer gave it.
    var path: String {
        slot.method.path ?? Slices.text(fields.pointee.details.method)
    }

    /// Looks a value up in the received metadata; nil when it isn't there, or when the call is over.
    func metadata<Result>(_ key: String, _ body: (grpc_slice) -> Result) -> Result? {
        lock.withLock(of: self) {
            isReleased ? nil : Slices.find(key, in: fields.pointee.metadata, body)
        }
    }

    var peer: String? {
        lock.withLock(of: self) {
            guard !isReleased, let call = fields.pointee.call, let text = grpc_call_get_peer(call) else {
                return nil
            }
            defer { gpr_free(text) }
            return String(cString: text)
        }
    }

    /// How long the peer still waits; nil: for ever.
    var timeRemaining: Duration? { fields.pointee.deadline.fromNow }

    // MARK: Answering

    func addTrailer(_ key: String, _ value: [UInt8]) {
        lock.withLock(of: self) { trailers.append((key, value)) }
    }

    /// Sends the answer, if nobody has and the peer is there.
    func answer(_ reply: ServerReply, outcome: ServerCallLifecycle.Outcome? = nil) {
        let (action, place, trailers) = lock.withLock(of: self) {
            let action = lifecycle.answer(outcome: outcome)
            defer { lifecycle.place = nil }
            return (action, lifecycle.place, self.trailers)
        }
        if let place { table.remove(place) }
        switch action {
        case .ignore:
            outcome?(false)
        case .send(let askingForEnd):
            let tag = ServerTag.make(self, .answer)
            let code = ServerBatch.answer(fields, reply, trailers: trailers, askingForEnd: askingForEnd, tag: tag)
            if code != GRPC_CALL_OK {
                ServerTag.take(tag, .answer).answered(success: false, cancelled: true)
            }
        }
    }

    /// Runs `handler` when the peer gives up before there is an answer; at once if it has.
    func watch(_ handler: @escaping ServerCallLifecycle.CancelHandler) {
        switch lock.withLock(of: self, { lifecycle.watch(handler) }) {
        case .none:
            return
        case .runHandler:
            handler()
        case .askForEnd:
            let tag = ServerTag.make(self, .end)
            if ServerBatch.askForEnd(fields, tag: tag) != GRPC_CALL_OK {
                ServerTag.take(tag, .end).ended(cancelled: true)
            }
        }
    }

    /// Puts the call where the server's end finds it, unless it is answered. False: the server has ended.
    func keepForLater() -> Bool {
        lock.withLock(of: self) {
            guard lifecycle.isOpen, lifecycle.place == nil else { return true }
            lifecycle.place = table.insert(self)
            return lifecycle.place != nil
        }
    }

    // MARK: Events

    /// The C core is done with the answer.
    func answered(success: Bool, cancelled: Bool) {
        perform(lock.withLock(of: self) { (lifecycle.answered(success: success, cancelled: cancelled), nil) })
    }

    /// The C core says that the call is over.
    func ended(cancelled: Bool) {
        perform(
            lock.withLock(of: self) {
                let effects = lifecycle.ended(cancelled: cancelled)
                defer { lifecycle.place = nil }
                return (effects, lifecycle.place)
            }
        )
    }

    /// The server ends without this call's answer.
    func abandon() {
        perform(
            lock.withLock(of: self) {
                let effects = lifecycle.abandon()
                defer { lifecycle.place = nil }
                return (effects, lifecycle.place)
            }
        )
    }

    private func perform(_ work: (effects: ServerCallLifecycle.Effects, place: Int?)) {
        if let place = work.place { table.remove(place) }
        if work.effects.releasesCall { release() }
        work.effects.outcome?(work.effects.delivered)
        for handler in work.effects.cancelHandlers { handler() }
    }

    /// Gives the C core's call back. What it owned is not looked at afterwards.
    private func release() {
        let call = lock.withLock(of: self) {
            defer { isReleased = true }
            return isReleased ? nil : fields.pointee.call
        }
        if let call { grpc_call_unref(call) }
    }
}
