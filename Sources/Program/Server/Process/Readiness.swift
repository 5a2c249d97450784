internal import SagamoreThreads

/// Whether the services accept requests, and if not, why.
final class Readiness: Sendable {
    private let reason = Locked<String?>("starting")

    /// Nil once everything is ready.
    func set(_ reason: String?) { self.reason.withLock { $0 = reason } }

    /// Why the services are not ready; nil when they are.
    var obstacle: String? { reason.withLock { $0 } }
}
