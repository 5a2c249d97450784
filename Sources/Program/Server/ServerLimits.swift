public import SagamoreEngine
public import SagamoreGRPCFront
internal import SagamoreMetrics
internal import SagamoreServices

/// The limits of a server, which may change while it runs.
public struct ServerLimits: Sendable {
    let limits: LimitsInForce
    let admission: CallAdmission

    init(_ limits: Limits, _ requests: RequestLimitTable, metrics: MetricsRegistry) {
        self.limits = LimitsInForce(Self.completed(limits))
        admission = CallAdmission(requests, metrics: metrics)
    }

    /// Puts others in force, for everything that is decided from now on.
    public func replace(_ limits: Limits, _ requests: RequestLimitTable) {
        self.limits.replace(Self.completed(limits))
        admission.replace(requests)
    }

    private static func completed(_ limits: Limits) -> Limits {
        var limits = limits
        limits.timeZones = SystemTimeZones.all
        return limits
    }
}
