/// Finds out who calls: returns what the handler needs to know of them, or nil for nobody in particular.
///
/// - Throws: the status of the call.
public typealias GRPCAuthentication =
    @Sendable (borrowing GRPCCallHead) throws(GRPCStatus) -> (any AnyObject & Sendable)?

/// What is known of a call before its request.
public struct GRPCCallHead: ~Copyable {
    private let head: RequestHead
    private let connection: ServerConnection

    init(_ head: RequestHead, _ connection: ServerConnection) {
        self.head = head
        self.connection = connection
    }

    /// The method's path, as `/package.Service/Method`.
    public var path: String { head.path }

    /// The client's address, as ``GRPCServerCall/peer``.
    public var peer: String { connection.peer }

    /// The first value of a metadata entry, by its lowercase name, or nil.
    public func metadata(_ key: String) -> ArraySlice<UInt8>? { head.metadata.value(key) }

    /// The subject of the client's certificate, which a root has signed, as in RFC 2253: `CN=worker,O=Acme`. Nil
    /// without a certificate.
    public var certificateSubject: String? { connection.certificateSubject }
}
