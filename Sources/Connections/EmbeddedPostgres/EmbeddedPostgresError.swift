/// Why the private PostgreSQL could not be started, stopped or used.
public struct EmbeddedPostgresError: Error, Sendable, CustomStringConvertible {
    /// The kind of an error.
    public struct Code: Hashable, Sendable, CustomStringConvertible {
        private enum Kind: String { case programsMissing, inUse, folder, user, version, process }

        private let kind: Kind

        /// PostgreSQL's programs are not installed; the message names the package.
        public static let programsMissing = Code(kind: .programsMissing)
        /// Another live process uses the same data folder.
        public static let inUse = Code(kind: .inUse)
        /// A folder or file could not be created, read or removed.
        public static let folder = Code(kind: .folder)
        /// There is no user, or no program, to run PostgreSQL as another user than root.
        public static let user = Code(kind: .user)
        /// The cluster belongs to another major version than the installed programs.
        public static let version = Code(kind: .version)
        /// A program of PostgreSQL failed or timed out; the message has the end of its output.
        public static let process = Code(kind: .process)

        public var description: String { kind.rawValue }
    }

    /// The kind.
    public let code: Code
    /// What happened and what to do.
    public let message: String

    init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    /// The message, for people.
    public var description: String { message }
}
