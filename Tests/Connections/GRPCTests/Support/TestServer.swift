import SagamoreThreads
import Synchronization
import Testing

@testable import SagamoreGRPC

/// Runs a server on a free port while `body` runs.
func withServer<Result: Sendable>(
    _ change: (inout GRPCServerConfiguration) -> Void = { _ in },
    register: (GRPCServer) -> Void,
    _ body: (GRPCServer, Int) async throws -> Result
) async throws -> Result {
    var configuration = GRPCServerConfiguration(port: 0)
    change(&configuration)
    let server = GRPCServer(configuration)
    register(server)
    let port = try server.start()
    do {
        let result = try await body(server, port)
        await onThread { server.shutdown(grace: .seconds(10)) }
        return result
    } catch {
        await onThread { server.shutdown(grace: .zero) }
        throw error
    }
}

/// A value that other threads change and a test waits for.
final class Watched<Value: Sendable>: Sendable {
    fileprivate let value: Monitor<Value>

    init(_ value: Value) { self.value = Monitor(value) }

    func change(_ body: @Sendable (inout Value) -> Void) { value.change { body(&$0) } }

    var current: Value { value.withLock { $0 } }

    /// Waits until the condition holds and returns the value; nil after 30 s.
    func reached(_ isReached: @escaping @Sendable (Value) -> Bool) async -> Value? {
        let value = self.value
        return await onThread { value.wait(atMost: .seconds(30)) { isReached($0) ? $0 : nil } }
    }
}

/// A thread that answers calls later, as a commit lane does.
final class LateThread: Sendable {
    private struct State {
        var jobs: [@Sendable () -> Void] = []
        var isOver = false
    }

    private let state = Monitor(State())

    init() {
        _ = SystemThread.required("late") { [state] in
            while let job = state.wait(for: { state -> (@Sendable () -> Void)?? in
                if !state.jobs.isEmpty { return .some(state.jobs.removeFirst()) }
                return state.isOver ? .some(nil) : nil
            }) { job() }
        }
    }

    deinit { state.change { $0.isOver = true } }

    func run(_ job: @escaping @Sendable () -> Void) { state.change { $0.jobs.append(job) } }
}

extension GRPCServerCall {
    var bytes: [UInt8] { withRequest { Array($0) } }

    /// Replies with the request, after releasing its memory.
    func echo() {
        let bytes = bytes
        releaseRequest()
        #expect(self.bytes.isEmpty)
        releaseRequest()
        reply(bytes)
    }
    var text: String { withRequest { String(decoding: $0, as: UTF8.self) } }
}

/// Blocks a handler until the gate opens.
func gateWait(_ gate: Watched<Bool>) -> Bool { gate.block { $0 } }

extension Watched {
    /// Blocks the calling thread until the condition holds, for at most 30 s.
    func block(_ isReached: (Value) -> Bool) -> Bool {
        value.wait(atMost: .seconds(30)) { isReached($0) ? true : nil } ?? false
    }
}

/// Holds one call until another thread, or the call's own closure, takes it.
final class Held: Sendable {
    private let call: Monitor<GRPCServerCall?>

    init(_ call: GRPCServerCall? = nil) { self.call = Monitor(call) }

    func put(_ call: GRPCServerCall) { self.call.change { $0 = call } }

    func take() -> GRPCServerCall? {
        call.withLock { call in
            defer { call = nil }
            return call
        }
    }

    func wait() -> GRPCServerCall {
        call.wait(for: { call in
            defer { call = nil }
            return call
        })
    }
}
