internal import SagamoreThreads

/// Room for so many tasks at a time. Who finds none waits for it without a thread.
final class Slots: Sendable {
    private struct State {
        var free: Int
        var waiting: [@Sendable (_ granted: Bool) -> Void] = []
        var isClosed = false
    }

    private let state: Locked<State>
    private let count: Int
    private let onFree: @Sendable () -> Void

    /// - Parameters:
    ///   - count: how many there are.
    ///   - onFree: called whenever one came back that nobody waits for.
    init(_ count: Int, onFree: @escaping @Sendable () -> Void = {}) {
        self.count = count
        self.onFree = onFree
        state = Locked(State(free: count))
    }

    /// Whether all are free.
    var areAllFree: Bool { state.withLock { $0.free == count } }

    /// Takes one and calls `grant` with true, now or later; with false once the slots are closed.
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

    /// Takes up to so many, as far as there is room that nobody waits for.
    func takeFree(atMost wanted: Int) -> Int {
        state.withLock { state in
            guard !state.isClosed else { return 0 }
            let taken = min(wanted, state.free)
            state.free -= taken
            return taken
        }
    }

    /// Gives some back.
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

    /// Nobody gets one any more; those who wait are told.
    func close() {
        let waiting = state.withLock { state in
            state.isClosed = true
            defer { state.waiting = [] }
            return state.waiting
        }
        for grant in waiting { grant(false) }
    }
}
