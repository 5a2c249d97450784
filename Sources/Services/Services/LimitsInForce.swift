public import SagamoreEngine
internal import SagamoreThreads

/// The limits of runs and requests, which may change while the services run. Whoever decides reads them anew.
public final class LimitsInForce: Sendable {
    private let limits: Locked<Limits>

    /// Limits that are in force until others replace them.
    public init(_ limits: Limits = Limits()) { self.limits = Locked(limits) }

    /// Those in force now.
    public var current: Limits { limits.withLock { $0 } }

    /// Puts others in force, for everything that is decided from now on.
    public func replace(_ limits: Limits) { self.limits.withLock { $0 = limits } }
}
