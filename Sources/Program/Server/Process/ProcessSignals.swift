internal import Glibc
internal import SagamoreThreads

/// The signals that request an orderly shutdown. They must be blocked before the first thread starts: threads inherit
/// the mask, and a signal is delivered to any thread that does not block it.
public enum ProcessSignals {
    private static var ending: sigset_t {
        var set = sigset_t()
        sigemptyset(&set)
        for signal in [SIGINT, SIGTERM, SIGHUP] { sigaddset(&set, signal) }
        return set
    }

    /// Blocks SIGINT, SIGTERM and SIGHUP in this thread and its descendants, and ignores SIGPIPE in the process.
    public static func block() {
        var set = ending
        pthread_sigmask(SIG_BLOCK, &set, nil)
        // Shells start background jobs with SIGINT ignored, and an ignored signal is never delivered.
        signal(SIGINT, SIG_DFL)
        signal(SIGPIPE, SIG_IGN)
    }

    /// Restores the default action of these signals in this thread and its descendants.
    public static func unblock() {
        var set = ending
        pthread_sigmask(SIG_UNBLOCK, &set, nil)
    }

    /// Calls `handler` for each signal on a dedicated thread, until the process ends.
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

/// A one-time request to end the process, with a reason. Several threads may wait for it.
public final class StopSignal: Sendable {
    /// The reason for the request.
    public enum Reason: Sendable, Equatable {
        /// The operator requested it.
        case asked
        /// The process cannot continue; the text says why.
        case failed(String)
    }

    private let reason = Monitor<Reason?>(nil)

    /// Creates a signal without a request.
    public init() {}

    /// Requests the end. Only the first reason counts.
    public func give(_ reason: Reason) { self.reason.change { $0 = $0 ?? reason } }

    /// The reason, once requested.
    public var given: Reason? { reason.withLock { $0 } }

    /// Waits for the request.
    public func wait() -> Reason { reason.wait(for: { $0 }) }

    /// Waits for the request; nil on timeout.
    public func wait(for time: Duration) -> Reason? { reason.wait(atMost: time, for: { $0 }) }
}
