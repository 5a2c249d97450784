internal import CSagamoreHTTP2
internal import Glibc
internal import SagamoreThreads

/// What other threads pass to the thread of a loop.
protocol LoopMail: Sendable {
    init()
    var isEmpty: Bool { get }
}

/// Passes values from other threads to the thread of a loop, and wakes it.
///
/// All calls share the lock: a caller takes it once, and the thread takes it once for all that waits.
final class LoopMailbox<Mail: LoopMail>: Sendable {
    private struct State {
        var mail = Mail()
        /// The thread sleeps and has to be woken.
        var isAsleep = false
    }

    /// A file descriptor that becomes readable to wake the thread.
    let bell: Int32
    private let state = Locked(State())

    /// - Returns: nil, with the system's error in `errno`, when there are no file descriptors left.
    init?() {
        bell = eventfd(0, Int32(EFD_NONBLOCK | EFD_CLOEXEC))
        if bell < 0 { return nil }
    }

    deinit {
        if bell >= 0 { close(bell) }
    }

    func withLock<Result>(_ body: () -> Result) -> Result {
        state.withLock { _ in body() }
    }

    /// Adds to the mailbox, and wakes the thread if it sleeps.
    ///
    /// - Parameter body: returns whether it has added anything, which `post` returns.
    @discardableResult
    func post(_ body: (inout Mail) -> Bool) -> Bool {
        let (isPosted, rings) = state.withLock { state in
            let isPosted = body(&state.mail)
            let rings = isPosted && state.isAsleep
            if rings { state.isAsleep = false }
            return (isPosted, rings)
        }
        if rings {
            var one: UInt64 = 1
            _ = write(bell, &one, 8)
        }
        return isPosted
    }

    // MARK: For the loop's thread

    /// Takes all mail, and leaves the empty arrays of `spare` in its place.
    func take(_ spare: inout Mail) {
        state.withLock { swap(&$0.mail, &spare) }
    }

    /// Lets later posts wake the thread. Returns false when there is mail already.
    func fallAsleep() -> Bool {
        state.withLock { state in
            state.isAsleep = state.mail.isEmpty
            return state.isAsleep
        }
    }

    /// Later posts need not wake the thread.
    func wakeUp() {
        state.withLock { $0.isAsleep = false }
    }

    /// Resets the bell.
    func silence() {
        var count: UInt64 = 0
        _ = read(bell, &count, 8)
    }
}
