internal import CSagamorePostgres

/// A failure of PostgreSQL or of the connection to it.
///
/// The texts hold no parameter values: the server's DETAIL, which quotes them, is omitted.
public struct PostgresError: Error, Sendable, CustomStringConvertible {
    /// The kind of error, from which the caller concludes what happened.
    public struct Code: Hashable, Sendable, CustomStringConvertible {
        private enum Kind: String { case cannotConnect, connectionLost, outcomeUnknown, server, usage }

        private let kind: Kind

        /// Connecting failed. Nothing was sent.
        public static let cannotConnect = Code(kind: .cannotConnect)
        /// The connection was lost, and nothing was committed.
        public static let connectionLost = Code(kind: .connectionLost)
        /// The connection was lost after the commit was sent: it may or may not have happened.
        public static let outcomeUnknown = Code(kind: .outcomeUnknown)
        /// The server rejected it; `sqlState` says why. Nothing was committed.
        public static let server = Code(kind: .server)
        /// The call was invalid. Nothing was sent, or the connection was closed.
        public static let usage = Code(kind: .usage)

        public var description: String { kind.rawValue }
    }

    /// The kind of error.
    public var code: Code
    /// The server's five-character SQLSTATE; nil for errors of this side.
    public var sqlState: String?
    /// The server's primary message, or a description by this side.
    public var message: String
    /// The violated constraint's name, when the server names one.
    public var constraint: String?
    /// The index of the failed statement in its batch; nil when none failed, but for example the commit.
    public var statementIndex: Int?
    /// The underlying error, if any.
    public var cause: (any Error)?

    /// Creates an error; everything but `code` and `message` is optional.
    public init(
        _ code: Code,
        _ message: String,
        sqlState: String? = nil,
        constraint: String? = nil,
        statementIndex: Int? = nil,
        cause: (any Error)? = nil
    ) {
        self.code = code
        self.message = message
        self.sqlState = sqlState
        self.constraint = constraint
        self.statementIndex = statementIndex
        self.cause = cause
    }

    /// Whether the data caused the error, so that the same statement would fail again: SQLSTATE classes 22 (data), 23
    /// (integrity) and 54 (limits).
    public var isDataError: Bool { isOfClass("22", "23", "54") }

    /// Whether a retry is safe: connecting failed, the connection was lost with nothing committed, or SQLSTATE classes
    /// 40 (rollback), 53 (resources), 57 (operator).
    ///
    /// False for `outcomeUnknown`: the caller must find out first what happened.
    public var isTransient: Bool {
        switch code {
        case .cannotConnect, .connectionLost: true
        case .server: isOfClass("40", "53", "57")
        default: false
        }
    }

    /// One line: code, SQLSTATE, statement, constraint, message.
    public var description: String {
        var text = code.description
        if let sqlState { text += " \(sqlState)" }
        if let statementIndex { text += " in statement \(statementIndex)" }
        if let constraint { text += " (constraint \(constraint))" }
        text += ": \(message)"
        if let cause { text += " [\(cause)]" }
        return text
    }

    private func isOfClass(_ classes: String...) -> Bool {
        guard let sqlState else { return false }
        return classes.contains { sqlState.hasPrefix($0) }
    }
}

/// An error reported by the server.
struct ServerRefusal {
    /// The error with code `.server`, SQLSTATE, primary message and constraint.
    let error: PostgresError
    /// Whether the server closes the connection after it.
    let isFatal: Bool

    /// Reads an error result; nil when libpq generated it because the connection failed.
    init?(_ result: OpaquePointer) {
        func field(_ code: Int32) -> String? { PQresultErrorField(result, code).map { String(cString: $0) } }
        guard let sqlState = field(sagamore_pq_field_sqlstate()) else { return nil }
        var message = field(sagamore_pq_field_message()) ?? "no message"
        // `invalid input syntax for type uuid: "…"`: the text after the colon is the value.
        if sqlState.hasPrefix("22"), let colon = message.firstRange(of: ": \"") {
            message = String(message[..<colon.lowerBound])
        }
        error = PostgresError(
            .server,
            message,
            sqlState: sqlState,
            constraint: field(sagamore_pq_field_constraint())
        )
        let severity = field(sagamore_pq_field_severity())
        isFatal = severity == "FATAL" || severity == "PANIC"
    }
}
