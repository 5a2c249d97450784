internal import SagamoreAPI
internal import SagamoreGRPC
internal import SagamoreThreads

/// One call after the other that waits for a task, each with a slot for the task that it may bring. It needs no thread:
/// the next step follows from the answer.
final class Poller: Sendable {
    private enum Step {
        case waitingForSlot
        case polling(GRPCClientCall?)
        case pausing(Pause)
        case ended
    }

    private struct State {
        var step = Step.waitingForSlot
        /// Tells the answer of an earlier call.
        var number = 0
        var isStopped = false
        var backoff = Backoff(longest: .seconds(5))
    }

    /// What a poller asks and tells its worker.
    struct Events: Sendable {
        /// Whether to hold the next call back for a moment. It is made all the same then, so that nothing starves.
        var holdsBack: @Sendable () -> Bool = { false }
        /// A task came, encoded. Whoever takes it gives the slot back.
        let task: @Sendable ([UInt8]) -> Void
        /// A call failed (and is tried again), or the first one succeeded after that (nil).
        let problem: @Sendable (GRPCStatus?) -> Void
        /// There will be no more.
        let ended: @Sendable () -> Void
    }

    private let method: WorkflowServiceMethod
    private let request: [UInt8]
    private let slots: Slots
    private let service: ServiceConnection
    private let events: Events
    private let state = Locked(State())

    init(
        _ method: WorkflowServiceMethod,
        _ request: [UInt8],
        slots: Slots,
        service: ServiceConnection,
        events: Events
    ) {
        self.method = method
        self.request = request
        self.slots = slots
        self.service = service
        self.events = events
    }

    /// How long a call is held back.
    private static let holdBack = Duration.milliseconds(100)

    func start() { next() }

    /// Ends it: no call is made any more, and the one under way is given up. A task that is on its way is still taken.
    func stop() {
        let step = state.withLock { state in
            state.isStopped = true
            return state.step
        }
        switch step {
        case .polling(let call): call?.cancel()
        case .pausing(let pause): pause.end()
        case .waitingForSlot, .ended: break
        }
    }

    // MARK: The steps

    private func next() {
        if events.holdsBack() { pause { _ in Self.holdBack } } else { waitForSlot() }
    }

    private func waitForSlot() {
        let isStopped = state.withLock { state in
            state.step = .waitingForSlot
            return state.isStopped
        }
        if isStopped { return end() }
        slots.reserve { granted in
            if granted { self.poll() } else { self.end() }
        }
    }

    private func poll() {
        let number = state.withLock { state -> Int? in
            if state.isStopped { return nil }
            state.number += 1
            state.step = .polling(nil)
            return state.number
        }
        guard let number else {
            slots.release()
            return end()
        }
        let call = service.call(method, request, deadline: ServiceConnection.pollDeadline) { result in
            self.received(result)
        }
        let isStopped = state.withLock { state in
            // The answer may have come already.
            if state.number == number, case .polling = state.step { state.step = .polling(call) }
            return state.isStopped
        }
        if isStopped { call.cancel() }
    }

    private func received(_ result: Result<[UInt8], GRPCStatus>) {
        switch result {
        case .success(let bytes):
            let hadProblem = state.withLock { state in
                state.step = .waitingForSlot
                defer { state.backoff.reset() }
                return state.backoff.attempts > 0
            }
            if hadProblem { events.problem(nil) }
            // An empty answer: the server let go of a call for which it had no task.
            if bytes.isEmpty { slots.release() } else { events.task(bytes) }
            next()
        case .failure(let status):
            slots.release()
            let isStopped = state.withLock { state in
                state.step = .waitingForSlot
                return state.isStopped
            }
            if isStopped { return end() }
            if status.code == .deadlineExceeded { return next() }
            events.problem(status)
            pause { $0.backoff.next() }
        }
    }

    private func pause(_ length: (inout State) -> Duration) {
        let pause = Pause { self.waitForSlot() }
        let (time, isStopped) = state.withLock { state in
            state.step = .pausing(pause)
            return (length(&state), state.isStopped)
        }
        if isStopped { pause.end() } else { pause.begin(time) }
    }

    private func end() {
        let wasRunning = state.withLock { state in
            defer { state.step = .ended }
            if case .ended = state.step { return false }
            return true
        }
        if wasRunning { events.ended() }
    }
}
