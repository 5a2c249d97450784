internal import Glibc
internal import SagamoreThreads

/// The signals that end a process in order. They have to be blocked before the first thread starts: a thread inherits
/// what its maker blocks, and a signal goes to any thread that takes it.
public enum ProcessSignals {
    private static var ending: sigset_t {
        var set = sigset_t()
        sigemptyset(&set)
        for signal in [SIGINT, SIGTERM, SIGHUP] { sigaddset(&set, signal) }
        return set
    }

    /// Blocks SIGINT, SIGTERM and SIGHUP in this thread and those it makes, and ignores SIGPIPE in the process.
    public static func block() {
        var set = ending
        pthread_sigmask(SIG_BLOCK, &set, nil)
        // A shell starts what runs in the background with SIGINT ignored, and an ignored signal never arrives.
        signal(SIGINT, SIG_DFL)
        signal(SIGPIPE, SIG_IGN)
    }

    /// Lets this thread and those it makes end the process at these signals, as is usual.
    public static func unblock() {
        var set = ending
        pthread_sigmask(SIG_UNBLOCK, &set, nil)
    }

    /// Calls `handler` for each signal, on a thread of its own, until the process ends.
    public static func watch(_ handler: @escaping @Sendable (Int32) -> Void) {
        _ = SystemThread.required("signals") {
            var set = ending
            while true {
                var signal: Int32 = 0
                if sigwait(&set, &signal) == 0 { handler(signal) }
            }
        }
    }
}

/// Says once that the process is to end, and why; many may wait for it.
public final class StopSignal: Sendable {
    /// Why.
    public enum Reason: Sendable, Equatable {
        /// The operator wants it.
        case asked
        /// The process can't go on; the text says why.
        case failed(String)
    }

    private let reason = Monitor<Reason?>(nil)

    /// A signal that nobody has given.
    public init() {}

    /// Gives it. Only the first reason counts.
    public func give(_ reason: Reason) { self.reason.change { $0 = $0 ?? reason } }

    /// The reason, once it was given.
    public var given: Reason? { reason.withLock { $0 } }

    /// Waits until it is given.
    public func wait() -> Reason { reason.wait(for: { $0 }) }

    /// Waits for some time; nil when it was not given meanwhile.
    public func wait(for time: Duration) -> Reason? { reason.wait(atMost: time, for: { $0 }) }
}
