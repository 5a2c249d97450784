internal import CSagamoreGRPC
internal import Glibc
internal import Synchronization

/// One call that this process makes, until its answer.
///
/// Unchecked: `fields` is written by the C core while the call runs, and read afterwards by the completion thread. The
/// rest is under `lock`.
final class ClientCallRecord: @unchecked Sendable {
    typealias Completion = @Sendable (Result<[UInt8], GRPCStatus>) -> Void

    /// Where the C core writes.
    let fields: UnsafeMutablePointer<csagamore_client_call>
    let handover = Handover()

    private let lock: PlacedLock
    /// The C core's call while it runs. Any thread may cancel it under the lock.
    private var call: OpaquePointer?
    private var isCancelled = false
    private var place: Int?
    private var completion: Completion?

    init(_ completion: @escaping Completion) {
        self.completion = completion
        fields = .allocate(capacity: 1)
        fields.initialize(to: csagamore_client_call())
        guard let mutex = fields.pointer(to: \.lock) else { fatalError("a field has no place") }
        lock = PlacedLock(at: mutex)
        grpc_metadata_array_init(&fields.pointee.initial_metadata)
        grpc_metadata_array_init(&fields.pointee.trailing_metadata)
    }

    deinit {
        if let message = fields.pointee.message { grpc_byte_buffer_destroy(message) }
        grpc_slice_unref(fields.pointee.status_details)
        grpc_metadata_array_destroy(&fields.pointee.initial_metadata)
        grpc_metadata_array_destroy(&fields.pointee.trailing_metadata)
        lock.destroy()
        fields.deallocate()
    }

    /// Its place in the channel's table.
    func keep(place: Int) {
        lock.withLock(of: self) { self.place = place }
    }

    /// The call starts. False: it was cancelled before.
    func start(_ call: OpaquePointer) -> Bool {
        lock.withLock(of: self) {
            if isCancelled { return false }
            self.call = call
            return true
        }
    }

    /// Gives the call up. It ends CANCELLED unless its answer is there already.
    func cancel() {
        lock.withLock(of: self) {
            isCancelled = true
            if let call {
                grpc_call_cancel_with_status(call, GRPC_STATUS_CANCELLED, "the caller gave the call up", nil)
            }
        }
    }

    /// The call has ended: what was there for it, once.
    func end() -> (call: OpaquePointer?, place: Int?, completion: Completion?) {
        lock.withLock(of: self) {
            defer {
                call = nil
                place = nil
                completion = nil
            }
            return (call, place, completion)
        }
    }

    /// Starts all that a call consists of, in one batch.
    func startBatch(
        _ call: OpaquePointer,
        _ request: [UInt8],
        metadata: [(key: String, value: [UInt8])],
        waitsForReady: Bool
    ) -> grpc_call_error {
        let message = Slices.message(request)
        defer { grpc_byte_buffer_destroy(message) }
        return Slices.withMetadata(metadata) { metadata in
            withUnsafeTemporaryAllocation(of: grpc_op.self, capacity: 6) { operations in
                operations.initialize(repeating: grpc_op())
                operations[0].op = GRPC_OP_SEND_INITIAL_METADATA
                operations[0].data.send_initial_metadata.count = metadata.count
                operations[0].data.send_initial_metadata.metadata = metadata.baseAddress
                if waitsForReady {
                    operations[0].flags =
                        UInt32(GRPC_INITIAL_METADATA_WAIT_FOR_READY)
                        | UInt32(GRPC_INITIAL_METADATA_WAIT_FOR_READY_EXPLICITLY_SET)
                }
                operations[1].op = GRPC_OP_SEND_MESSAGE
                operations[1].data.send_message.send_message = message
                operations[2].op = GRPC_OP_SEND_CLOSE_FROM_CLIENT
                operations[3].op = GRPC_OP_RECV_INITIAL_METADATA
                operations[3].data.recv_initial_metadata.recv_initial_metadata = fields.pointer(to: \.initial_metadata)
                operations[4].op = GRPC_OP_RECV_MESSAGE
                operations[4].data.recv_message.recv_message = fields.pointer(to: \.message)
                operations[5].op = GRPC_OP_RECV_STATUS_ON_CLIENT
                operations[5].data.recv_status_on_client.trailing_metadata = fields.pointer(to: \.trailing_metadata)
                operations[5].data.recv_status_on_client.status = fields.pointer(to: \.status)
                operations[5].data.recv_status_on_client.status_details = fields.pointer(to: \.status_details)
                let tag = Unmanaged.passRetained(self)
                handover.give()
                let code = grpc_call_start_batch(call, operations.baseAddress, 6, tag.toOpaque(), nil)
                if code != GRPC_CALL_OK { tag.release() }
                return code
            }
        }
    }

    /// What the server said; to be asked while the C core's call is still held.
    func result(target: String) -> Result<[UInt8], GRPCStatus> {
        let code = Int(fields.pointee.status.rawValue)
        if code == 0 {
            guard let message = fields.pointee.message else {
                return .failure(GRPCStatus(.internalError, "the server answered without a message"))
            }
            return .success(Slices.bytes(of: message))
        }
        var message = Slices.text(fields.pointee.status_details)
        if code == GRPCStatus.Code.unavailable.rawValue, Self.isConnectionFailure(message) {
            message =
                "no connection to \(target): is a server running there, and are address and TLS setting right? "
                + "(\(message))"
        }
        let details = Slices.find("grpc-status-details-bin", in: fields.pointee.trailing_metadata) { Slices.bytes($0) }
        return .failure(GRPCStatus(GRPCStatus.Code(rawValue: code), message, details: details))
    }

    /// The C core's own words for a peer that can't be reached.
    private static func isConnectionFailure(_ message: String) -> Bool {
        let starts = ["failed to connect", "connections to all backends", "DNS resolution", "empty address list"]
        return starts.contains { message.lowercased().hasPrefix($0.lowercased()) }
    }
}

/// A lock in memory that somebody else owns and that stays where it is.
///
/// `pthread_mutex_t` rather than `Mutex`: it is cheaper when two threads want it at once, and ThreadSanitizer sees it.
struct PlacedLock {
    private let mutex: UnsafeMutablePointer<pthread_mutex_t>

    init(at mutex: UnsafeMutablePointer<pthread_mutex_t>) {
        self.mutex = mutex
        pthread_mutex_init(mutex, nil)
    }

    /// To be called once, before the memory goes.
    func destroy() { pthread_mutex_destroy(mutex) }

    /// - Parameter owner: whom the memory belongs to; kept until the lock is free again.
    func withLock<Result>(of owner: AnyObject, _ body: () -> Result) -> Result {
        pthread_mutex_lock(mutex)
        defer {
            pthread_mutex_unlock(mutex)
            withExtendedLifetime(owner) {}
        }
        return body()
    }
}

/// Marks that what one thread has written goes to another through the C core, whose own synchronization neither Swift's
/// memory model nor ThreadSanitizer sees. Costs nothing on the processors in use.
struct Handover: ~Copyable, Sendable {
    private let mark = Atomic(false)

    /// Before something is given to the C core.
    func give() { mark.store(true, ordering: .releasing) }

    /// After the C core has given it back.
    func take() { _ = mark.load(ordering: .acquiring) }
}
