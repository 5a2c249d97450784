/// A method that the server answers, or (without a path) what answers all others.
final class ServerMethod: Sendable {
    let path: String?
    let kind: GRPCMethodKind
    let handler: @Sendable (GRPCServerCall) -> Void
    /// The one answer of a method that is only known by name. The C core is not told of it.
    let refusal: GRPCStatus?

    init(path: String?, kind: GRPCMethodKind, handler: @escaping @Sendable (GRPCServerCall) -> Void) {
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

    /// Answers calls of methods that the C core was not told of.
    static func others(refusals: [String: GRPCStatus]) -> ServerMethod {
        ServerMethod(path: nil, kind: .hot) { call in
            let path = call.path
            call.fail(refusals[path] ?? GRPCStatus(.unimplemented, "this server has no method \(path)"))
        }
    }
}

/// Where requests for calls of a method are posted.
///
/// Unchecked: the pointers belong to the C core, which lets any thread use them.
final class RequestSlot: @unchecked Sendable {
    let method: ServerMethod
    /// The C core's name of the method; nil for calls of methods that nobody registered.
    let handle: UnsafeMutableRawPointer?
    /// The completion queue that says when a call has come, and all about it afterwards.
    let queue: OpaquePointer

    init(method: ServerMethod, handle: UnsafeMutableRawPointer?, queue: OpaquePointer) {
        self.method = method
        self.handle = handle
        self.queue = queue
    }
}
