internal import SagamoreThreads

/// A connection to a gRPC server. It connects on the first call and reconnects when the connection breaks. Calls may be
/// made from any thread.
public final class GRPCChannel: Sendable {
    private let runtime: ChannelRuntime

    /// Creates a channel. It connects on the first call.
    public init(_ configuration: GRPCChannelConfiguration) {
        runtime = ChannelRuntime(configuration)
    }

    deinit { runtime.close() }

    /// Makes a call.
    ///
    /// - Parameters:
    ///   - path: as `/package.Service/Method`.
    ///   - request: the message.
    ///   - deadline: how long to wait for the response; nil for no limit.
    ///   - metadata: metadata of the call, sent after the channel's.
    ///   - completion: receives the response or the status, once. It runs on the channel's thread, which it must not
    ///     block, or before this function returns when the call cannot be started.
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

    /// Makes a call and waits for its response. Canceling the task cancels the call.
    ///
    /// - Throws: the status from the server, or one that describes the failure on the way.
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

    /// Shuts the channel down: open calls are cancelled, later ones fail. Returns when all completions have run, or at
    /// once when called from a completion. Safe to repeat. Releasing the channel does the same without waiting.
    public func shutdown() {
        runtime.close()
        if !ChannelThread.isInside(runtime) { runtime.waitForEnd() }
    }
}

/// A call in progress. Releasing it does not cancel the call.
public final class GRPCClientCall: Sendable {
    private let record: ClientCallRecord

    init(_ record: ClientCallRecord) { self.record = record }

    /// Cancels the call: it ends with CANCELLED unless its response has already arrived.
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
