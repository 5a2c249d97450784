internal import Dispatch
internal import Synchronization

/// Says once that the process is to end, and why; many may wait for it.
public final class StopSignal: Sendable {
    /// Why.
    public enum Reason: Sendable, Equatable {
        /// The operator wants it.
        case asked
        /// The process can't go on; the text says why.
        case failed(String)
    }

    private let reason = Mutex<Reason?>(nil)
    // A turnstile: whoever passes lets the next one pass.
    private let turnstile = DispatchSemaphore(value: 0)

    /// A signal that nobody has given.
    public init() {}

    /// Gives it. Only the first reason counts.
    public func give(_ reason: Reason) {
        let isFirst = self.reason.withLock { current in
            defer { current = current ?? reason }
            return current == nil
        }
        if isFirst { turnstile.signal() }
    }

    /// The reason, once it was given.
    public var given: Reason? { reason.withLock { $0 } }

    /// Waits until it is given.
    public func wait() -> Reason {
        while true {
            if let reason = wait(for: .seconds(3600)) { return reason }
        }
    }

    /// Waits for some time; nil when it was not given meanwhile.
    public func wait(for time: Duration) -> Reason? {
        let parts = time.components
        let nanoseconds = Int(parts.seconds) * 1_000_000_000 + Int(parts.attoseconds / 1_000_000_000)
        if turnstile.wait(timeout: .now() + .nanoseconds(nanoseconds)) == .success { turnstile.signal() }
        return given
    }
}
