/// How a call ended, when it did not end well: gRPC's status.
public struct GRPCStatus: Error, Sendable, Equatable {
    /// gRPC's status codes. Numbers that this version does not know are kept.
    public struct Code: RawRepresentable, Sendable, Hashable {
        /// The number on the wire.
        public let rawValue: Int

        /// A code by its number on the wire.
        public init(rawValue: Int) { self.rawValue = rawValue }

        /// No error.
        public static let ok = Code(rawValue: 0)
        /// The caller gave the call up.
        public static let cancelled = Code(rawValue: 1)
        /// An error without a code of its own.
        public static let unknown = Code(rawValue: 2)
        /// The request is wrong, whatever the state of the system.
        public static let invalidArgument = Code(rawValue: 3)
        /// The call's deadline passed before the answer came.
        public static let deadlineExceeded = Code(rawValue: 4)
        /// What the request names does not exist.
        public static let notFound = Code(rawValue: 5)
        /// What the request wants to make exists already.
        public static let alreadyExists = Code(rawValue: 6)
        /// The caller may not do this.
        public static let permissionDenied = Code(rawValue: 7)
        /// A limit is reached: a quota, a queue, a size.
        public static let resourceExhausted = Code(rawValue: 8)
        /// The system is not in the state that the request needs.
        public static let failedPrecondition = Code(rawValue: 9)
        /// Another request was faster.
        public static let aborted = Code(rawValue: 10)
        /// Past the end of what there is.
        public static let outOfRange = Code(rawValue: 11)
        /// The server has no such method.
        public static let unimplemented = Code(rawValue: 12)
        /// Something that always holds did not hold.
        public static let internalError = Code(rawValue: 13)
        /// The server can't be reached or can't answer now: try again.
        public static let unavailable = Code(rawValue: 14)
        /// Data is lost for good.
        public static let dataLoss = Code(rawValue: 15)
        /// The caller has not said who it is.
        public static let unauthenticated = Code(rawValue: 16)
    }

    /// What kind of failure it is.
    public var code: Code

    /// A sentence for people, with no payloads and no secrets in it.
    public var message: String

    /// The content of `grpc-status-details-bin` (an encoded `google.rpc.Status`), when the server sent one.
    public var details: [UInt8]?

    /// A status with its message and, for clients that look for more, encoded details.
    public init(code: Code, message: String, details: [UInt8]? = nil) {
        self.code = code
        self.message = message
        self.details = details
    }

    /// A status with its message and, for clients that look for more, encoded details.
    public init(_ code: Code, _ message: String, details: [UInt8]? = nil) {
        self.init(code: code, message: message, details: details)
    }
}

extension GRPCStatus.Code: CustomStringConvertible {
    /// gRPC's own name of the code, as `NOT_FOUND`.
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
