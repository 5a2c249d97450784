internal import CSagamoreGRPC
internal import Glibc
internal import SagamoreThreads

/// A running channel: the C core's channel, its completion queue, and the thread that drains the queue and frees both.
final class ChannelRuntime: Sendable {
    let configuration: GRPCChannelConfiguration
    // The pointers never change, and the C core's functions for them are thread-safe.
    private nonisolated(unsafe) let channel: OpaquePointer
    private nonisolated(unsafe) let queue: OpaquePointer
    private let metadata: [(key: String, value: [UInt8])]
    private let calls = CallTable<ClientCallRecord>()
    private let isOver = Monitor(false)

    init(_ configuration: GRPCChannelConfiguration) {
        GRPCLibrary.initialize()
        self.configuration = configuration
        metadata = configuration.metadata.map { ($0.0.lowercased(), Array($0.1.utf8)) }
        let credentials = ChannelTarget.credentials(configuration)
        defer { grpc_channel_credentials_release(credentials) }
        let made = ChannelTarget.arguments(configuration).withArguments { arguments in
            grpc_channel_create(configuration.target, credentials, arguments)
        }
        guard let made, let queue = grpc_completion_queue_create_for_next(nil) else {
            fatalError("the C core failed to create a channel")
        }
        channel = made
        self.queue = queue
        _ = SystemThread.required("grpc-channel") { self.drainQueue() }
    }

    /// Starts a call and reports its outcome to `record`.
    func start(
        _ record: ClientCallRecord,
        _ path: String,
        _ request: [UInt8],
        deadline: Duration?,
        metadata own: [(String, String)]
    ) {
        guard let place = calls.insert(record) else {
            record.end().completion?(.failure(Self.closed))
            return
        }
        record.keep(place: place)
        let method = Slices.copy(path)
        defer { grpc_slice_unref(method) }
        guard
            let call = grpc_channel_create_call(
                channel,
                nil,
                csagamore_propagate_defaults(),
                queue,
                method,
                nil,
                gpr_timespec(fromNow: deadline),
                nil
            )
        else { fatalError("the C core failed to create a call") }
        guard record.start(call) else {
            grpc_call_unref(call)
            finish(record, .failure(GRPCStatus(.cancelled, "the caller cancelled the call")))
            return
        }
        let entries = own.isEmpty ? metadata : metadata + own.map { ($0.0.lowercased(), Array($0.1.utf8)) }
        let code = record.startBatch(call, request, metadata: entries, waitsForReady: configuration.waitsForReady)
        if code != GRPC_CALL_OK {
            let reason = String(cString: grpc_call_error_to_string(code))
            finish(record, .failure(GRPCStatus(.invalidArgument, "cannot start the call: \(reason)")))
        }
    }

    /// Rejects new calls and cancels open ones. Their completions and the end of the thread follow.
    func close() {
        guard let open = calls.close() else { return }
        if open.isEmpty { grpc_completion_queue_shutdown(queue) }
        for record in open { record.cancel() }
    }

    /// Waits until a closed channel has ended.
    func waitForEnd() {
        isOver.wait(until: { $0 })
    }

    private static let closed = GRPCStatus(.unavailable, "the channel was shut down")

    private func drainQueue() {
        ChannelThread.enter(self)
        let never = gpr_inf_future(GPR_CLOCK_MONOTONIC)
        while true {
            let event = grpc_completion_queue_next(queue, never, nil)
            guard event.type == GRPC_OP_COMPLETE, let tag = event.tag else { break }
            let record = Unmanaged<ClientCallRecord>.fromOpaque(tag).takeRetainedValue()
            record.handover.take()
            finish(record, record.result(target: configuration.target))
        }
        grpc_completion_queue_destroy(queue)
        grpc_channel_destroy(channel)
        isOver.change { $0 = true }
    }

    private func finish(_ record: ClientCallRecord, _ result: Result<[UInt8], GRPCStatus>) {
        let (call, place, completion) = record.end()
        if let call { grpc_call_unref(call) }
        completion?(result)
        if let place, calls.remove(place) { grpc_completion_queue_shutdown(queue) }
    }
}

/// Identifies the current thread's channel, so that shutting down a channel in one of its completions does not wait for
/// itself.
enum ChannelThread {
    private static let key: pthread_key_t = {
        var key = pthread_key_t()
        let code = pthread_key_create(&key, nil)
        precondition(code == 0, "cannot create a thread-local key (error \(code))")
        return key
    }()

    static func enter(_ channel: ChannelRuntime) {
        pthread_setspecific(key, Unmanaged.passUnretained(channel).toOpaque())
    }

    static func isInside(_ channel: ChannelRuntime) -> Bool {
        pthread_getspecific(key) == Unmanaged.passUnretained(channel).toOpaque()
    }
}

extension gpr_timespec {
    /// The time after `limit` on the monotonic clock; never for nil.
    init(fromNow limit: Duration?) {
        guard let limit, limit < .seconds(3_153_600_000) else {
            self = gpr_inf_future(GPR_CLOCK_MONOTONIC)
            return
        }
        let parts = max(.zero, limit).components
        let span = gpr_timespec(
            tv_sec: parts.seconds,
            tv_nsec: Int32(parts.attoseconds / 1_000_000_000),
            clock_type: GPR_TIMESPAN
        )
        self = gpr_time_add(gpr_now(GPR_CLOCK_MONOTONIC), span)
    }
}
