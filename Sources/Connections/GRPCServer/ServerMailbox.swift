internal import CSagamoreHTTP2
internal import Glibc

/// What other threads tell a server's thread, and the lock under which calls are answered.
///
/// One lock for all calls: whoever answers takes it once, and the thread takes it once for all answers that wait.
///
/// Unchecked: `mail` is under the lock; the pointers and the descriptor are set once.
final class ServerMailbox: @unchecked Sendable {
    struct Mail {
        var answers: [ServerAnswer] = []
        var orders: [ServerOrder] = []

        var isEmpty: Bool { answers.isEmpty && orders.isEmpty }
    }

    /// Becomes readable when the thread is to wake up.
    let bell: Int32
    private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private var mail = Mail()
    /// The thread waits for the system, and has to be woken.
    private var isAsleep = false

    /// - Throws: `noThread` with the system's error where there is no descriptor left.
    init() throws(GRPCServerError) {
        bell = eventfd(0, Int32(EFD_NONBLOCK | EFD_CLOEXEC))
        pthread_mutex_init(mutex, nil)
        if bell < 0 { throw .noThread(errno: errno) }
    }

    deinit {
        if bell >= 0 { close(bell) }
        pthread_mutex_destroy(mutex)
        mutex.deallocate()
    }

    func withLock<Result>(_ body: () -> Result) -> Result {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        return body()
    }

    /// Puts something in, and wakes the thread if it sleeps.
    ///
    /// - Parameter body: says whether it has put anything in, which is returned.
    @discardableResult
    func post(_ body: (inout Mail) -> Bool) -> Bool {
        pthread_mutex_lock(mutex)
        let isPosted = body(&mail)
        let rings = isPosted && isAsleep
        if rings { isAsleep = false }
        pthread_mutex_unlock(mutex)
        if rings {
            var one: UInt64 = 1
            _ = write(bell, &one, 8)
        }
        return isPosted
    }

    // MARK: For the server's thread

    /// Takes all there is, and leaves the empty arrays of `spare` in its place.
    func take(_ spare: inout Mail) {
        pthread_mutex_lock(mutex)
        swap(&mail, &spare)
        pthread_mutex_unlock(mutex)
    }

    /// From now on somebody who posts rings the bell. False: there is mail.
    func fallAsleep() -> Bool {
        withLock {
            isAsleep = mail.isEmpty
            return isAsleep
        }
    }

    /// Nobody has to ring any more.
    func wakeUp() {
        withLock { isAsleep = false }
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
