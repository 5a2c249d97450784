/// gRPC's status of a failed call.
public struct GRPCStatus: Error, Sendable, Equatable {
    /// gRPC's status codes. Unknown numbers are preserved.
    public struct Code: RawRepresentable, Sendable, Hashable {
        /// The number on the wire.
        public let rawValue: Int

        /// A code by its number on the wire.
        public init(rawValue: Int) { self.rawValue = rawValue }

        /// No error.
        public static let ok = Code(rawValue: 0)
        /// The caller cancelled the call.
        public static let cancelled = Code(rawValue: 1)
        /// An error without a more specific code.
        public static let unknown = Code(rawValue: 2)
        /// The request is invalid, regardless of the state of the system.
        public static let invalidArgument = Code(rawValue: 3)
        /// The deadline passed before the response arrived.
        public static let deadlineExceeded = Code(rawValue: 4)
        /// The requested entity does not exist.
        public static let notFound = Code(rawValue: 5)
        /// The entity to create already exists.
        public static let alreadyExists = Code(rawValue: 6)
        /// The caller lacks permission.
        public static let permissionDenied = Code(rawValue: 7)
        /// A limit was reached: a quota, a queue, a size.
        public static let resourceExhausted = Code(rawValue: 8)
        /// The system is not in the required state.
        public static let failedPrecondition = Code(rawValue: 9)
        /// A concurrent request interfered.
        public static let aborted = Code(rawValue: 10)
        /// The request exceeds the valid range.
        public static let outOfRange = Code(rawValue: 11)
        /// The server does not implement the method.
        public static let unimplemented = Code(rawValue: 12)
        /// An invariant was broken.
        public static let internalError = Code(rawValue: 13)
        /// The server is unreachable or overloaded: retry.
        public static let unavailable = Code(rawValue: 14)
        /// Data was lost permanently.
        public static let dataLoss = Code(rawValue: 15)
        /// The caller is not authenticated.
        public static let unauthenticated = Code(rawValue: 16)
    }

    /// The kind of failure.
    public var code: Code

    /// A description for people, without payloads or secrets.
    public var message: String

    /// The content of `grpc-status-details-bin` (an encoded `google.rpc.Status`), when the server sent one.
    public var details: [UInt8]?

    /// A status with a message and optional encoded details.
    public init(code: Code, message: String, details: [UInt8]? = nil) {
        self.code = code
        self.message = message
        self.details = details
    }

    /// A status with a message and optional encoded details.
    public init(_ code: Code, _ message: String, details: [UInt8]? = nil) {
        self.init(code: code, message: message, details: details)
    }
}

extension GRPCStatus.Code: CustomStringConvertible {
    /// gRPC's name of the code, such as `NOT_FOUND`.
    public var description: String {
        let names = [
            "OK", "CANCELLED", "UNKNOWN", "INVALID_ARGUMENT", "DEADLINE_EXCEEDED", "NOT_FOUND", "ALREADY_EXISTS",
            "PERMISSION_DENIED", "RESOURCE_EXHAUSTED", "FAILED_PRECONDITION", "ABORTED", "OUT_OF_RANGE",
            "UNIMPLEMENTED", "INTERNAL", "UNAVAILABLE", "DATA_LOSS", "UNAUTHENTICATED",
        ]
        return names.indices.contains(rawValue) ? names[rawValue] : "CODE_\(rawValue)"
    }
}

extension GRPCStatus: CustomStringConvertible {
    /// The code's name and the message.
    public var description: String { "\(code): \(message)" }
}
