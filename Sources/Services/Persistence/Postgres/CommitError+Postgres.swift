public import SagamorePostgresClient

extension CommitError {
    /// Classifies a database error by how the lane handles it.
    public init(_ error: PostgresError) {
        if error.code == .outcomeUnknown {
            self = .outcomeUnknown(error)
        } else if error.sqlState == "SG001" {
            self = .fenced
        } else if error.isDataError || error.sqlState == Self.knownWorkflow || error.sqlState == Self.incompleteCopy {
            self = .data(error)
        } else if error.isTransient || Self.isOfServer(error) {
            self = .transient(error)
        } else if Self.hitsEveryRow(error) {
            self = .misconfigured(error)
        } else {
            self = .permanent(error)
        }
    }

    /// Classifies a connection error.
    public init(connecting error: any Error) {
        switch error {
        case let error as CommitError: self = error
        case let error as PostgresError: self.init(error)
        default: self = .transient(PostgresError(.cannotConnect, "\(error)"))
        }
    }

    /// The SQLSTATE of a batch with a workflow that was assumed to be new but has a run.
    public static let knownWorkflow = "SG002"

    /// The SQLSTATE of a batch that copies a journal of which rows are gone.
    public static let incompleteCopy = "SG003"

    /// Whether the cause is the server's state and not what is written: connections (08), a server that accepts no
    /// writes (25006: a standby), objects that are locked or not ready (55), the system below it (58).
    private static func isOfServer(_ error: PostgresError) -> Bool {
        guard let state = error.sqlState else { return false }
        return state == "25006" || ["08", "55", "58"].contains { state.hasPrefix($0) }
    }

    /// Whether any row would meet the same error: a table, column or grant that is missing (42), a prepared statement
    /// that is gone (26), an internal error or damaged data (XX), a plan that went stale (0A), the state of the
    /// transaction (25), the role (28, 0L, 0P), the database or schema (3D, 3F), the server's configuration (F0).
    private static func hitsEveryRow(_ error: PostgresError) -> Bool {
        guard let state = error.sqlState else { return false }
        return ["42", "26", "XX", "0A", "25", "28", "0L", "0P", "3D", "3F", "F0"].contains { state.hasPrefix($0) }
    }
}
