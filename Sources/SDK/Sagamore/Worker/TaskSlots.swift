internal import SagamoreThreads

/// A fixed number of task slots. Callers queue for one without blocking a thread.
final class TaskSlots: Sendable {
    private struct State {
        var free: Int
        var waiting: [@Sendable (_ granted: Bool) -> Void] = []
        var isClosed = false
    }

    private let state: Locked<State>
    private let count: Int
    private let onFree: @Sendable () -> Void

    /// - Parameters:
    ///   - count: the number of slots.
    ///   - onFree: called when a slot is released and nobody is waiting for it.
    init(_ count: Int, onFree: @escaping @Sendable () -> Void = {}) {
        self.count = count
        self.onFree = onFree
        state = Locked(State(free: count))
    }

    /// Whether all slots are free.
    var areAllFree: Bool { state.withLock { $0.free == count } }

    /// Reserves a slot and calls `grant` with true, now or later; with false once the slots are closed.
    func reserve(_ grant: @escaping @Sendable (_ granted: Bool) -> Void) {
        let granted = state.withLock { state -> Bool? in
            if state.isClosed { return false }
            if state.free > 0 {
                state.free -= 1
                return true
            }
            state.waiting.append(grant)
            return nil
        }
        if let granted { grant(granted) }
    }

    /// Reserves up to this many slots, as far as they are free. Does not wait.
    func takeFree(atMost wanted: Int) -> Int {
        state.withLock { state in
            guard !state.isClosed else { return 0 }
            let taken = min(wanted, state.free)
            state.free -= taken
            return taken
        }
    }

    /// Releases slots.
    func release(_ released: Int = 1) {
        for _ in 0..<released {
            let next = state.withLock { state -> (@Sendable (Bool) -> Void)? in
                if !state.waiting.isEmpty { return state.waiting.removeFirst() }
                state.free += 1
                return nil
            }
            if let next { next(true) } else { onFree() }
        }
    }

    /// Closes the slots: waiting and later reservations fail.
    func close() {
        let waiting = state.withLock { state in
            state.isClosed = true
            defer { state.waiting = [] }
            return state.waiting
        }
        for grant in waiting { grant(false) }
    }
}
