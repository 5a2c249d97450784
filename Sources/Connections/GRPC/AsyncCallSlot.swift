internal import SagamoreThreads

/// Where the cancellation of a task finds the task's call, whichever of the two comes first.
final class AsyncCallSlot: Sendable {
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
