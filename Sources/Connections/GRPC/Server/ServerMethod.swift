/// A registered method.
final class ServerMethod: Sendable {
    let path: String
    let kind: GRPCMethodKind
    let handler: @Sendable (GRPCServerCall) -> Void
    /// The status of all calls, for a method without a handler.
    let refusal: GRPCStatus?
    /// Nil when nobody counts.
    let metrics: MethodMetrics?

    init(
        path: String,
        kind: GRPCMethodKind,
        metrics: MethodMetrics? = nil,
        handler: @escaping @Sendable (GRPCServerCall) -> Void
    ) {
        self.path = path
        self.kind = kind
        self.handler = handler
        refusal = nil
        self.metrics = metrics
    }

    init(path: String, refusal: GRPCStatus) {
        self.path = path
        kind = .hot
        handler = { call in call.fail(refusal) }
        self.refusal = refusal
        metrics = nil
    }
}

/// Receives the number of a connection that has ended.
typealias ConnectionHandler = @Sendable (_ connectionID: UInt64) -> Void
