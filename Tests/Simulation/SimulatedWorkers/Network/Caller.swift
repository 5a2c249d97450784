internal import SagamoreEngine
internal import SagamoreServices
internal import SagamoreSimulatedTime

/// A request under way, in one life of its caller.
///
/// Unchecked: the whole world runs in one thread.
final class Call<Success: Sendable>: AnyCall, @unchecked Sendable {
    private let done: (Reply<Success>.Outcome) -> Void
    private let onUndelivered: ((Success) -> Void)?

    init(
        _ process: SimulatedProcess,
        deadline: Instant,
        undelivered: ((Success) -> Void)?,
        done: @escaping (Reply<Success>.Outcome) -> Void
    ) {
        self.done = done
        onUndelivered = undelivered
        super.init(process, deadline: deadline)
    }

    /// Gives the first answer to the caller, unless it has given up or died.
    func answer(_ outcome: Reply<Success>.Outcome) {
        guard !isOver, life == process.life else {
            if case .success(let value) = outcome { undelivered(value) }
            return
        }
        isOver = true
        done(outcome)
    }

    /// An answer that its caller does not get.
    func undelivered(_ value: Success) { onUndelivered?(value) }

    override func giveUp() {
        guard !isOver else { return }
        isOver = true
        done(.failure(RequestError(.deadlineExceeded, "no answer came")))
    }
}

/// A request without the type of its answer.
///
/// Unchecked: the whole world runs in one thread.
class AnyCall: @unchecked Sendable {
    let process: SimulatedProcess
    let life: Int
    let deadline: Instant
    /// Whether the caller has an answer, or waits no more.
    fileprivate(set) var isOver = false

    init(_ process: SimulatedProcess, deadline: Instant) {
        self.process = process
        life = process.life
        self.deadline = deadline
    }

    func giveUp() {}
}

/// Makes requests for a process, and ends those that get no answer.
final class Caller {
    let network: Network
    let process: SimulatedProcess
    private var calls: [AnyCall] = []
    private var isWatching = false
    private var sweepAt = 64

    /// How often calls are looked through.
    private static let watchPeriod = Interval.seconds(1)

    init(_ network: Network, _ process: SimulatedProcess) {
        self.network = network
        self.process = process
    }

    /// Forgets all requests: their caller has died.
    func reset() {
        calls = []
        isWatching = false
    }

    /// Makes a request.
    ///
    /// - Parameters:
    ///   - undelivered: is told of a successful answer that did not arrive.
    ///   - done: receives the answer, or `deadlineExceeded` after the timeout.
    func call<Success: Sendable>(
        _ label: StaticString,
        timeout: Interval,
        undelivered: ((Success) -> Void)? = nil,
        _ request: @escaping (ReachableService, Reply<Success>) -> Void,
        done: @escaping (Reply<Success>.Outcome) -> Void
    ) {
        let deadline = network.scheduler.now + timeout
        let call = Call(process, deadline: deadline, undelivered: undelivered, done: done)
        if calls.count >= sweepAt {
            calls.removeAll { $0.isOver }
            sweepAt = max(64, 2 * calls.count)
        }
        calls.append(call)
        network.send(label, call, request)
        watch()
    }

    private func watch() {
        guard !isWatching else { return }
        isWatching = true
        network.scheduler.schedule("look for late answers", of: process, after: Self.watchPeriod) { [self] in
            isWatching = false
            let now = network.scheduler.now
            var late: [AnyCall] = []
            calls.removeAll { call in
                if call.isOver { return true }
                guard call.deadline <= now else { return false }
                late.append(call)
                return true
            }
            for call in late { call.giveUp() }
            if !calls.isEmpty { watch() }
        }
    }
}

extension RequestError {
    /// Whether the request may or may not have taken effect, or may do so at another try.
    var isPassing: Bool {
        switch code {
        case .unavailable, .deadlineExceeded, .resourceExhausted, .cancelled, .internalError: true
        default: false
        }
    }
}
