internal import SagamoreAPI
internal import SagamoreGRPC
internal import SagamoreThreads

/// Polls for tasks, one call at a time. Each call holds a slot for the task that it may return. It needs no thread:
/// each response triggers the next step.
final class Poller: Sendable {
    private enum Step {
        case waitingForSlot
        case polling(GRPCClientCall?)
        case pausing(Pause)
        case ended
    }

    private struct State {
        var step = Step.waitingForSlot
        /// The number of the current call, to recognize late responses.
        var number = 0
        var isStopped = false
        var backoff = Backoff(longest: .seconds(5))
    }

    /// The worker's callbacks.
    struct Events: Sendable {
        /// Whether to delay the next call. It is made after the delay in any case, so that nothing starves.
        var holdsBack: @Sendable () -> Bool = { false }
        /// Receives an encoded task. The receiver releases the slot.
        let task: @Sendable ([UInt8]) -> Void
        /// A call failed and will be retried; nil when a call succeeds again.
        let problem: @Sendable (GRPCStatus?) -> Void
        /// The poller has ended.
        let ended: @Sendable () -> Void
    }

    private let method: WorkflowServiceMethod
    private let request: [UInt8]
    private let slots: TaskSlots
    private let service: ServiceConnection
    private let events: Events
    private let state = Locked(State())

    init(
        _ method: WorkflowServiceMethod,
        _ request: [UInt8],
        slots: TaskSlots,
        service: ServiceConnection,
        events: Events
    ) {
        self.method = method
        self.request = request
        self.slots = slots
        self.service = service
        self.events = events
    }

    /// The delay for `holdsBack`.
    private static let holdBack = Duration.milliseconds(100)

    func start() { next() }

    /// Stops polling and cancels the open call. A task that has already arrived is still delivered.
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
            // The response may have arrived already.
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
            // An empty response: the server had no task.
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
