internal import SagamoreThreads

/// A workflow's state, where the code, the handlers of signals and those of queries find it.
///
/// Reading and writing are whole: nobody ever holds an access while code waits. That is what an optimiser may assume,
/// and why a changed state is always seen.
final class StateBox<State: Sendable>: Sendable {
    private let state: Locked<State>

    init(_ state: State) { self.state = Locked(state) }

    var value: State { state.withLock { $0 } }

    func set(_ new: State) { state.withLock { $0 = new } }

    /// Nobody holds the lock while `body` runs: it may look at the state.
    func update(_ body: (inout State) -> Void) {
        var changed = value
        body(&changed)
        set(changed)
    }
}
