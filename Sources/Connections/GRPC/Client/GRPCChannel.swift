internal import SagamoreThreads

/// A connection to a gRPC server. It connects on the first call and reconnects when the connection breaks. Calls may be
/// made from any thread.
///
/// A call that no server has processed, because the connection broke or the server was leaving, is sent again.
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
        let call: ClientCall
        do throws(GRPCStatus) {
            let metadata = try runtime.callMetadata() + metadata
            call = ClientCall(path, request, deadline: deadline, metadata: metadata, completion)
        } catch {
            call = ClientCall(path, [], deadline: nil, metadata: [], completion)
            call.finish(.failure(error))
            return GRPCClientCall(call, runtime)
        }
        runtime.start(call)
        return GRPCClientCall(call, runtime)
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
                let made = call(path, request, deadline: deadline, metadata: metadata) {
                    continuation.resume(returning: $0)
                }
                cancellation.set(made)
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
        runtime.waitForEnd()
    }
}

/// A call in progress. Releasing it does not cancel the call.
public final class GRPCClientCall: Sendable {
    private let call: ClientCall
    private let runtime: ChannelRuntime

    init(_ call: ClientCall, _ runtime: ChannelRuntime) {
        self.call = call
        self.runtime = runtime
    }

    /// Cancels the call: it ends with CANCELLED unless its response has already arrived.
    public func cancel() { runtime.cancel(call) }
}

/// Passes the cancellation of a task on to its call, whichever of the two comes first.
private final class CallCancellation: Sendable {
    private struct State {
        var call: GRPCClientCall?
        var isCancelled = false
    }

    private let state = Locked(State())

    func set(_ call: GRPCClientCall) {
        let isCancelled = state.withLock { state in
            state.call = call
            return state.isCancelled
        }
        if isCancelled { call.cancel() }
    }

    func cancel() {
        let call = state.withLock { state in
            state.isCancelled = true
            return state.call
        }
        call?.cancel()
    }
}
