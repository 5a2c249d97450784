/// A value could not be written or read. The message names the type and the place, never the value.
public struct DataError: Error, Sendable, CustomStringConvertible {
    /// What went wrong.
    public struct Code: Sendable, Hashable {
        private enum Kind { case notEncodable, damaged, missing, otherType, unknownEncoding }
        private let kind: Kind

        /// The value's type can't be written as JSON.
        public static let notEncodable = Code(kind: .notEncodable)
        /// The bytes are no payloads at all.
        public static let damaged = Code(kind: .damaged)
        /// A value is wanted, and none was sent.
        public static let missing = Code(kind: .missing)
        /// The value is of another type, or a part of it is.
        public static let otherType = Code(kind: .otherType)
        /// The value is in a form that this SDK does not know.
        public static let unknownEncoding = Code(kind: .unknownEncoding)
    }

    /// What went wrong.
    public let code: Code
    /// A sentence for people.
    public let message: String
    /// The error underneath, if there was one.
    public let cause: (any Error)?

    init(_ code: Code, _ message: String, cause: (any Error)? = nil) {
        self.code = code
        self.message = message
        self.cause = cause
    }

    /// The message.
    public var description: String { message }
}
