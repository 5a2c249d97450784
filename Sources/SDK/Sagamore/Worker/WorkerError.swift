/// Why a worker cannot run.
public struct WorkerError: Error, Sendable, CustomStringConvertible {
    /// What went wrong.
    public struct Code: Sendable, Hashable {
        private enum Kind { case badRegistration, badOptions, unknownNamespace, refused }
        private let kind: Kind

        /// Two workflows or activities share a name, there are none, or a workflow belongs to another queue.
        public static let badRegistration = Code(kind: .badRegistration)
        /// An option has an invalid value.
        public static let badOptions = Code(kind: .badOptions)
        /// The server does not know the namespace.
        public static let unknownNamespace = Code(kind: .unknownNamespace)
        /// The server refuses this worker; retrying is pointless.
        public static let refused = Code(kind: .refused)
    }

    /// What went wrong.
    public let code: Code
    /// A description for people.
    public let message: String
    /// The underlying error.
    public let cause: (any Error)?

    init(_ code: Code, _ message: String, cause: (any Error)? = nil) {
        self.code = code
        self.message = message
        self.cause = cause
    }

    /// The message.
    public var description: String { message }
}
