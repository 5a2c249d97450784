internal import CSagamoreHTTP2
internal import Glibc
internal import SagamoreThreads

/// Answers and commands from other threads to the server's thread, and the lock under which calls are answered.
///
/// All calls share the lock: an answer takes it once, and the thread takes it once for all waiting answers.
final class ServerMailbox: Sendable {
    struct Mail {
        var answers: [ServerAnswer] = []
        var commands: [ServerCommand] = []

        var isEmpty: Bool { answers.isEmpty && commands.isEmpty }
    }

    private struct State {
        var mail = Mail()
        /// The thread sleeps and has to be woken.
        var isAsleep = false
    }

    /// A file descriptor that becomes readable to wake the thread.
    let bell: Int32
    private let state = Locked(State())

    /// - Throws: `noThread` with the system's error when there are no file descriptors left.
    init() throws(GRPCServerError) {
        bell = eventfd(0, Int32(EFD_NONBLOCK | EFD_CLOEXEC))
        if bell < 0 { throw .noThread(errno: errno) }
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

    // MARK: For the server's thread

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

/// The steps of a shutdown, in order.
enum ServerCommand: Sendable {
    /// Stop listening, and send clients a shutdown notice. Calls that still arrive are answered.
    case leave
    /// Close each connection as soon as it has no calls.
    case finish
    /// Cancel the open calls, and close.
    case cancel
    /// Close all connections at once.
    case close
}
