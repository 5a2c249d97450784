internal import SagamoreAuthorization
internal import SagamoreEngine
internal import SagamoreGRPC
public import SagamoreMetrics
internal import SagamoreThreads

/// Decides whether there is room for a call: each namespace and each caller has limits of its own, so that one that
/// floods does not take from another. From any thread.
public final class CallAdmission: Sendable {
    private let state: Locked<AdmissionState>
    private let metrics: MetricsRegistry

    /// - Parameter limits: may be replaced later.
    public init(_ limits: RequestLimitTable = RequestLimitTable(), metrics: MetricsRegistry = MetricsRegistry()) {
        state = Locked(AdmissionState(limits))
        self.metrics = metrics
    }

    /// Puts other limits in force for the calls from now on.
    public func replace(_ limits: RequestLimitTable) { state.withLock { $0.limits = limits } }

    /// The limits in force.
    public var limits: RequestLimitTable { state.withLock { $0.limits } }

    /// Says how many workflows of a namespace are open, as was counted just now.
    public func counted(_ openWorkflows: Int, in namespace: String) {
        state.withLock { $0.open[namespace] = openWorkflows }
    }

    /// Admits a call, or throws `resourceExhausted` with what to do.
    ///
    /// - Parameter bytes: the size of its request.
    func admit(_ call: GRPCServerCall, _ load: CallLoad, namespace: String?, bytes: Int) throws(RequestError) {
        if case .completion = load { return }
        let request = AdmissionState.Request(
            load: load,
            namespace: namespace ?? "",
            caller: (call.caller as? Caller)?.name,
            bytes: bytes
        )
        let now = MonotonicTime.now.nanoseconds
        let outcome = state.withLock { $0.admit(request, at: now) }
        switch outcome {
        case .admitted(let polls):
            guard !polls.isEmpty else { return }
            call.onEnd { [self] in state.withLock { $0.pollEnded(polls) } }
        case .refused(let refusal):
            metrics.counter(
                "sagamore_requests_refused",
                "Requests for which there was no room, by limit and scope.",
                labels: ["limit": refusal.limit.rawValue, "scope": refusal.scope.rawValue]
            ).increment()
            throw refusal.error
        }
    }
}
