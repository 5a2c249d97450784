internal import CSagamoreHTTP2
internal import Glibc
internal import SagamoreThreads

/// What other threads tell a server's thread, and the lock under which calls are answered.
///
/// One lock for all calls: whoever answers takes it once, and the thread takes it once for all answers that wait.
final class ServerMailbox: Sendable {
    struct Mail {
        var answers: [ServerAnswer] = []
        var orders: [ServerOrder] = []

        var isEmpty: Bool { answers.isEmpty && orders.isEmpty }
    }

    private struct State {
        var mail = Mail()
        /// The thread waits for the system, and has to be woken.
        var isAsleep = false
    }

    /// Becomes readable when the thread is to wake up.
    let bell: Int32
    private let state = Locked(State())

    /// - Throws: `noThread` with the system's error where there is no descriptor left.
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

    /// Puts something in, and wakes the thread if it sleeps.
    ///
    /// - Parameter body: says whether it has put anything in, which is returned.
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

    /// Takes all there is, and leaves the empty arrays of `spare` in its place.
    func take(_ spare: inout Mail) {
        state.withLock { swap(&$0.mail, &spare) }
    }

    /// From now on somebody who posts rings the bell. False: there is mail.
    func fallAsleep() -> Bool {
        state.withLock { state in
            state.isAsleep = state.mail.isEmpty
            return state.isAsleep
        }
    }

    /// Nobody has to ring any more.
    func wakeUp() {
        state.withLock { $0.isAsleep = false }
    }

    /// After the bell has rung.
    func silence() {
        var count: UInt64 = 0
        _ = read(bell, &count, 8)
    }
}

/// What the end of a server asks of its thread, one step after the other.
enum ServerOrder: Sendable {
    /// Listen no more, and tell clients to go elsewhere; what they still send is answered.
    case leave
    /// End each connection as soon as it has no call.
    case finish
    /// Answer what has no answer yet, and end.
    case cancel
    /// Wait for no client any more.
    case close
}
