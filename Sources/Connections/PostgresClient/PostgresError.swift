internal import CSagamorePostgres

/// What went wrong on the way to PostgreSQL or in it.
///
/// The texts hold no parameter values: the server's DETAIL, which quotes them, is left out.
public struct PostgresError: Error, Sendable, CustomStringConvertible {
    /// The kind of an error: what the caller may conclude from it.
    public struct Code: Hashable, Sendable, CustomStringConvertible {
        private enum Kind: String { case cannotConnect, connectionLost, outcomeUnknown, server, usage }

        private let kind: Kind

        /// No connection could be made. Nothing was sent.
        public static let cannotConnect = Code(kind: .cannotConnect)
        /// The connection is gone, and nothing of the transaction can have been committed.
        public static let connectionLost = Code(kind: .connectionLost)
        /// The connection is gone after the commit was handed over: it may have happened or not.
        public static let outcomeUnknown = Code(kind: .outcomeUnknown)
        /// The server refused: `sqlState` says why. Nothing was committed.
        public static let server = Code(kind: .server)
        /// The call itself was wrong. Nothing was sent, or the connection was closed.
        public static let usage = Code(kind: .usage)

        public var description: String { kind.rawValue }
    }

    /// What the caller may conclude.
    public var code: Code
    /// The server's five-character SQLSTATE; nil when the server did not speak.
    public var sqlState: String?
    /// The server's primary message, or what this side has to say.
    public var message: String
    /// The violated constraint's name, when the server names one.
    public var constraint: String?
    /// Which statement of a batch failed, counted from 0; nil when it was none of them (the commit, say).
    public var statementIndex: Int?
    /// What led to this error, where another error did.
    public var cause: (any Error)?

    /// Makes an error; only `code` and `message` are always there.
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

    /// Whether the data are to blame, so that the same statement would fail again: SQLSTATE classes 22 (data),
    /// 23 (integrity) and 54 (limits).
    public var isDataError: Bool { isOfClass("22", "23", "54") }

    /// Whether the same may be tried again without a look at what happened: no connection, a connection lost with
    /// nothing committed, or SQLSTATE classes 40 (rollback), 53 (resources), 57 (operator).
    ///
    /// False for `outcomeUnknown`: there the caller has to look first.
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

/// An error that the server itself reported.
struct ServerRefusal {
    /// With `.server`, SQLSTATE, primary message and constraint.
    let error: PostgresError
    /// Whether the server closes the connection after it.
    let isFatal: Bool

    /// Reads an error result; nil when libpq made it up because the connection failed.
    init?(_ result: OpaquePointer) {
        func field(_ code: Int32) -> String? { PQresultErrorField(result, code).map { String(cString: $0) } }
        guard let sqlState = field(sagamore_pq_field_sqlstate()) else { return nil }
        var message = field(sagamore_pq_field_message()) ?? "no message"
        // "invalid input syntax for type uuid: "…"": after the colon stands the value.
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
