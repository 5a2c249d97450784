internal import CSagamoreGRPC
internal import Glibc
internal import Synchronization

/// One outgoing call.
///
/// Unchecked: the C core writes `fields` while the call runs, and the completion thread reads them afterwards. `lock`
/// protects everything else.
final class ClientCallRecord: @unchecked Sendable {
    typealias Completion = @Sendable (Result<[UInt8], GRPCStatus>) -> Void

    /// The C core's output.
    let fields: UnsafeMutablePointer<csagamore_client_call>
    let handover = Handover()

    private let lock: PlacedLock
    /// The C core's call while it runs. Any thread may cancel it with the lock held.
    private var call: OpaquePointer?
    private var isCancelled = false
    private var place: Int?
    private var completion: Completion?

    init(_ completion: @escaping Completion) {
        self.completion = completion
        fields = .allocate(capacity: 1)
        fields.initialize(to: csagamore_client_call())
        guard let mutex = fields.pointer(to: \.lock) else { fatalError("a field has no address") }
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

    /// Stores its index in the channel's table.
    func keep(place: Int) {
        lock.withLock(of: self) { self.place = place }
    }

    /// Stores the started call. Returns false when the record was cancelled before.
    func start(_ call: OpaquePointer) -> Bool {
        lock.withLock(of: self) {
            if isCancelled { return false }
            self.call = call
            return true
        }
    }

    /// Cancels the call. It ends with CANCELLED unless its response has already arrived.
    func cancel() {
        lock.withLock(of: self) {
            isCancelled = true
            if let call {
                grpc_call_cancel_with_status(call, GRPC_STATUS_CANCELLED, "the caller cancelled the call", nil)
            }
        }
    }

    /// Ends the call and returns its resources, once.
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

/// A lock at a stable address in memory that another object owns.
///
/// `pthread_mutex_t` rather than `Mutex`: it is cheaper under contention, and ThreadSanitizer supports it.
struct PlacedLock {
    private let mutex: UnsafeMutablePointer<pthread_mutex_t>

    init(at mutex: UnsafeMutablePointer<pthread_mutex_t>) {
        self.mutex = mutex
        pthread_mutex_init(mutex, nil)
    }

    /// Call it once, before the memory is freed.
    func destroy() { pthread_mutex_destroy(mutex) }

    /// - Parameter owner: the owner of the memory, kept alive until the lock is released.
    func withLock<Result>(of owner: AnyObject, _ body: () -> Result) -> Result {
        pthread_mutex_lock(mutex)
        defer {
            pthread_mutex_unlock(mutex)
            withExtendedLifetime(owner) {}
        }
        return body()
    }
}

/// Orders memory accesses of two threads that hand data over through the C core, whose synchronization is invisible to
/// Swift's memory model and ThreadSanitizer. It is free on common processors.
struct Handover: ~Copyable, Sendable {
    private let mark = Atomic(false)

    /// Call it before passing data to the C core.
    func give() { mark.store(true, ordering: .releasing) }

    /// Call it after receiving data from the C core.
    func take() { _ = mark.load(ordering: .acquiring) }
}
