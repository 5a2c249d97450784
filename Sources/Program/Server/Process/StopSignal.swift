internal import SagamoreThreads

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
