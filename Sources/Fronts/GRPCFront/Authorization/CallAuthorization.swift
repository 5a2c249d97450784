internal import SagamoreAPI
public import SagamoreAuthorization
internal import SagamoreEngine
internal import SagamoreGRPC
public import SagamoreLogging
public import SagamoreMetrics
internal import SagamoreServices
internal import SagamoreThreads

/// Decides whether a call may be handled: first who calls, before its request is read, and then whether they have the
/// role that it needs. Refusals are counted and logged, without what callers sent.
public final class CallAuthorization: Sendable {
    private let authenticator: Authenticator
    private let metrics: MetricsRegistry
    private let log: Logger
    private let lines = Locked(RefusalPace())

    /// - Parameter authenticator: knows who calls.
    public init(_ authenticator: Authenticator, metrics: MetricsRegistry, log: Logger) {
        self.authenticator = authenticator
        self.metrics = metrics
        self.log = log
    }

    /// Who calls; nil for nobody in particular where anybody may.
    ///
    /// - Throws: PERMISSION_DENIED with the reason; UNAVAILABLE while tokens cannot be judged.
    func caller(_ call: borrowing GRPCCallHead) throws(GRPCStatus) -> Caller? {
        do throws(AuthenticationError) {
            // The subject is read only where it counts.
            let authorization = call.metadata("authorization")
            let subject = authorization == nil ? call.certificateSubject : nil
            return try authenticator.caller(authorization: authorization, certificate: subject)
        } catch {
            if CallAuthorization.isOpen(call.path) { return nil }
            let trace = call.metadata("traceparent").map { String(decoding: $0.prefix(100), as: UTF8.self) }
            refused(call.path, call.peer, trace, caller: nil, namespace: nil, reason: error.label)
            if error == .noKeySet { throw GRPCStatus(RequestError(.unavailable, "\(error)")) }
            throw GRPCStatus(RequestError(.permissionDenied, "Request unauthorized: \(error)."))
        }
    }

    /// Whether anybody may call it: load balancers ask for the health, and clients begin with the system's information.
    private static func isOpen(_ path: String) -> Bool {
        path == WorkflowServiceMethod.getSystemInfo.rawValue || path == HealthMethod.check.rawValue
    }

    /// - Parameters:
    ///   - namespace: the request's; nil for one that belongs to none.
    /// - Throws: `permissionDenied` with the role that is missing.
    func check(_ call: GRPCServerCall, _ method: MethodAccess, namespace: String?) throws(RequestError) {
        guard method.access != .anybody else { return }
        let caller = call.caller as? Caller
        let place = method.scope == .system ? nil : namespace
        let roles = caller?.permissions.roles(in: place) ?? []
        guard !method.access.isGranted(to: roles) else { return }
        refused(
            call.path,
            call.peer,
            call.metadata("traceparent"),
            caller: caller,
            namespace: namespace,
            reason: "role"
        )
        let name = call.path.split(separator: "/").last ?? ""
        let needed = method.access == .member ? "a role" : "the role '\(method.access.rawValue)'"
        let location = place.map { "in the namespace '\($0.prefix(100))'" } ?? "for '\(Permissions.system)'"
        throw RequestError(.permissionDenied, "Request unauthorized: \(name) needs \(needed) \(location).")
    }

    private func refused(
        _ path: String,
        _ peer: String,
        _ trace: String?,
        caller: Caller?,
        namespace: String?,
        reason: String
    ) {
        let help = "Calls that were refused, by reason."
        metrics.counter("sagamore_authorization_refusals", help, labels: ["reason": reason]).increment()
        guard let omitted = lines.withLock({ $0.line(at: .now) }) else { return }
        var metadata: Logger.Metadata = ["method": "\(path)", "peer": "\(peer)", "reason": "\(reason)"]
        if let caller { metadata["caller"] = "\(caller.name)" }
        if let trace { metadata["traceparent"] = "\(trace.prefix(100))" }
        if let namespace { metadata["namespace"] = "\(namespace.prefix(100))" }
        if omitted > 0 { metadata["omitted"] = "\(omitted)" }
        log.warning("call refused", metadata: metadata)
    }
}

/// How many lines about refusals are written: whoever has no key must not fill the log.
struct RefusalPace {
    private var second = MonotonicTime(nanoseconds: 0)
    private var count = 0
    private var omitted = 0

    /// The most lines a second.
    static let most = 10

    /// Nil: write none. Else the number that were omitted before this one.
    mutating func line(at now: MonotonicTime) -> Int? {
        if now.nanoseconds - second.nanoseconds >= 1_000_000_000 {
            second = now
            count = 0
        }
        count += 1
        guard count <= Self.most else {
            omitted += 1
            return nil
        }
        defer { omitted = 0 }
        return omitted
    }
}
