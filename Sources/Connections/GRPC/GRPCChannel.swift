internal import SagamoreThreads

/// A connection to a gRPC server, as the caller sees it: it is made when the first call needs it, and made again when
/// it breaks. Calls may be made from any thread.
public final class GRPCChannel: Sendable {
    private let runtime: ChannelRuntime

    /// Prepares a channel. No connection is made before the first call.
    public init(_ configuration: GRPCChannelConfiguration) {
        runtime = ChannelRuntime(configuration)
    }

    deinit { runtime.close() }

    /// Makes a call.
    ///
    /// - Parameters:
    ///   - path: as `/package.Service/Method`.
    ///   - request: the message.
    ///   - deadline: how long to wait for the answer; nil: for ever.
    ///   - metadata: goes with the call, after the channel's own.
    ///   - completion: gets the answer or the status, once: on the channel's thread, which it must not block, or before
    ///     this function returns when the call can't be started.
    @discardableResult
    public func call(
        _ path: String,
        _ request: [UInt8],
        deadline: Duration?,
        metadata: [(String, String)] = [],
        completion: @escaping @Sendable (Result<[UInt8], GRPCStatus>) -> Void
    ) -> GRPCClientCall {
        let record = ClientCallRecord(completion)
        runtime.start(record, path, request, deadline: deadline, metadata: metadata)
        return GRPCClientCall(record)
    }

    /// Makes a call and waits for its answer. Cancelling the task cancels the call.
    ///
    /// - Throws: the status that the server sent, or the one that says what went wrong on the way.
    public func call(
        _ path: String,
        _ request: [UInt8],
        deadline: Duration?,
        metadata: [(String, String)] = []
    ) async throws(GRPCStatus) -> [UInt8] {
        let cancellation = CallCancellation()
        let result = await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let record = ClientCallRecord { continuation.resume(returning: $0) }
                cancellation.set(record)
                runtime.start(record, path, request, deadline: deadline, metadata: metadata)
            }
        } onCancel: {
            cancellation.cancel()
        }
        return try result.get()
    }

    /// Ends the channel: open calls are cancelled, later ones fail. Returns when all completions have run; called from
    /// one of them it does not wait. May be called several times. Letting go of the channel does the same without
    /// waiting.
    public func shutdown() {
        runtime.close()
        if !ChannelThread.isInside(runtime) { runtime.waitForEnd() }
    }
}

/// A call that a channel has under way. Letting go of it does not end the call.
public final class GRPCClientCall: Sendable {
    private let record: ClientCallRecord

    init(_ record: ClientCallRecord) { self.record = record }

    /// Gives the call up: it ends with CANCELLED, unless its answer is there already.
    public func cancel() { record.cancel() }
}

/// Passes the cancellation of a task on to its call, whichever of the two comes first.
private final class CallCancellation: Sendable {
    private struct State {
        var record: ClientCallRecord?
        var isCancelled = false
    }

    private let state = Locked(State())

    func set(_ record: ClientCallRecord) {
        let isCancelled = state.withLock { state in
            state.record = record
            return state.isCancelled
        }
        if isCancelled { record.cancel() }
    }

    func cancel() {
        let record = state.withLock { state in
            state.isCancelled = true
            return state.record
        }
        record?.cancel()
    }
}
