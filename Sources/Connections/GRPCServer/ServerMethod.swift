internal import SagamoreGRPC

/// A method that the server answers.
final class ServerMethod: Sendable {
    let path: String
    let kind: GRPCMethodKind
    let handler: @Sendable (GRPCServerCall) -> Void
    /// The one answer of a method that is only known by name.
    let refusal: GRPCStatus?

    init(path: String, kind: GRPCMethodKind, handler: @escaping @Sendable (GRPCServerCall) -> Void) {
        self.path = path
        self.kind = kind
        self.handler = handler
        refusal = nil
    }

    init(path: String, refusal: GRPCStatus) {
        self.path = path
        kind = .hot
        handler = { call in call.fail(refusal) }
        self.refusal = refusal
    }
}

/// Is told the number of a connection that has ended.
typealias ConnectionHandler = @Sendable (_ connectionID: UInt64) -> Void
