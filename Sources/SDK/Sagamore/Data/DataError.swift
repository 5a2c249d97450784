/// A value could not be encoded or decoded. The message names the type and the position, never the value.
public struct DataError: Error, Sendable, CustomStringConvertible {
    /// What went wrong.
    public struct Code: Sendable, Hashable {
        private enum Kind { case notEncodable, damaged, missing, otherType, unknownEncoding }
        private let kind: Kind

        /// The value's type cannot be encoded as JSON.
        public static let notEncodable = Code(kind: .notEncodable)
        /// The bytes are not valid payloads.
        public static let damaged = Code(kind: .damaged)
        /// A value is required, and none was sent.
        public static let missing = Code(kind: .missing)
        /// The value, or a part of it, has another type.
        public static let otherType = Code(kind: .otherType)
        /// The value has an encoding that this SDK does not support.
        public static let unknownEncoding = Code(kind: .unknownEncoding)
    }

    /// What went wrong.
    public let code: Code
    /// A description for people.
    public let message: String
    /// The underlying error, if any.
    public let cause: (any Error)?

    init(_ code: Code, _ message: String, cause: (any Error)? = nil) {
        self.code = code
        self.message = message
        self.cause = cause
    }

    /// The message.
    public var description: String { message }
}
