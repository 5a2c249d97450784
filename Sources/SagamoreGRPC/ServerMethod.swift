/// A method that the server answers, or (without a path) what answers all others.
final class ServerMethod: Sendable {
    let path: String?
    let kind: GRPCMethodKind
    let handler: @Sendable (GRPCServerCall) -> Void

    init(path: String?, kind: GRPCMethodKind, handler: @escaping @Sendable (GRPCServerCall) -> Void) {
        self.path = path
        self.kind = kind
        self.handler = handler
    }

    /// Answers calls of methods that nobody registered.
    static let unknown = ServerMethod(path: nil, kind: .hot) { call in
        call.fail(GRPCStatus(.unimplemented, "this server has no method \(call.path)"))
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
