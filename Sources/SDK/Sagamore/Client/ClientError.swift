internal import SagamoreAPI
internal import SagamoreGRPC
internal import SagamoreProtobuf

/// The server refused a request or is unreachable.
public struct ClientError: Error, Sendable, CustomStringConvertible {
    /// What went wrong.
    public struct Code: Sendable, Hashable {
        private enum Kind {
            case alreadyStarted, notFound, invalid, queryFailed, unavailable, canceled, limit, unauthenticated, denied
            case other
        }
        private let kind: Kind

        /// A workflow with this id is running, or has run and must not run again.
        public static let alreadyStarted = Code(kind: .alreadyStarted)
        /// The workflow, namespace or run does not exist.
        public static let notFound = Code(kind: .notFound)
        /// The request is invalid, regardless of the server's state.
        public static let invalid = Code(kind: .invalid)
        /// The workflow could not answer the query.
        public static let queryFailed = Code(kind: .queryFailed)
        /// The server is unreachable or overloaded: retry later.
        public static let unavailable = Code(kind: .unavailable)
        /// The calling task was cancelled.
        public static let canceled = Code(kind: .canceled)
        /// A limit was exceeded: a quota, a queue, a size.
        public static let limit = Code(kind: .limit)
        /// The server does not know the caller: the key or the certificate is missing, wrong or expired.
        public static let unauthenticated = Code(kind: .unauthenticated)
        /// The caller may not do this.
        public static let permissionDenied = Code(kind: .denied)
        /// Something else.
        public static let other = Code(kind: .other)
    }

    /// What went wrong.
    public let code: Code
    /// A description for people: the server's message, if it sent one.
    public let message: String
    /// The underlying error.
    public let cause: (any Error)?

    init(_ code: Code, _ message: String, cause: (any Error)? = nil) {
        self.code = code
        self.message = message
        self.cause = cause
    }

    init(_ status: GRPCStatus, asksAQuery: Bool = false) {
        code =
            switch status.code {
            case .alreadyExists: .alreadyStarted
            case .notFound: .notFound
            case .invalidArgument where asksAQuery: .queryFailed
            case .invalidArgument, .failedPrecondition, .outOfRange: .invalid
            case .unavailable, .deadlineExceeded, .aborted: .unavailable
            case .cancelled: .canceled
            case .resourceExhausted: .limit
            case .unauthenticated: .unauthenticated
            case .permissionDenied: .permissionDenied
            default: .other
            }
        message = Self.operationMessage(status) ?? status.message
        cause = status
    }

    /// The message of the operation that failed, of several that were asked for together.
    private static func operationMessage(_ status: GRPCStatus) -> String? {
        guard let bytes = status.details, let content = try? RPCStatus(serializedBytes: bytes) else { return nil }
        let name = MultiOperationExecutionFailure.protobufMessageName
        guard let detail = content.details.first(where: { $0.typeURL.hasSuffix("/\(name)") }),
            let failure = try? MultiOperationExecutionFailure(serializedBytes: detail.value)
        else { return nil }
        let (done, aborted) = (Int32(GRPCStatus.Code.ok.rawValue), Int32(GRPCStatus.Code.aborted.rawValue))
        return failure.statuses.first { $0.code != done && $0.code != aborted }?.message
    }

    /// The message.
    public var description: String { message }
}
