internal import SagamoreThreads

/// Whether the services accept requests, and if not, why.
final class Readiness: Sendable {
    private let look = Locked<@Sendable () -> String?>({ "starting" })

    /// The services are not ready, for this reason.
    func set(_ reason: String) { look.withLock { $0 = { reason } } }

    /// Everything has started: from now on `obstacle` says why requests are refused, if they are.
    func started(_ obstacle: @escaping @Sendable () -> String?) { look.withLock { $0 = obstacle } }

    /// Why requests are refused; nil when they are accepted.
    var obstacle: String? { look.withLock { $0 }() }
}
