internal import SagamorePersistence
internal import SagamorePostgresClient

/// The errors of the server and of a lost connection, as libpq gives them.
extension CommitError {
    static let notConnected = CommitError(PostgresError(.connectionLost, "not connected"))

    /// The connection was lost behind a statement that was sent.
    static func lost(readsOnly: Bool) -> CommitError {
        let message = "server closed the connection unexpectedly"
        return CommitError(PostgresError(readsOnly ? .connectionLost : .outcomeUnknown, message))
    }

    static func refused(
        _ sqlState: String,
        _ message: String,
        constraint: String? = nil,
        statement: Int? = nil
    ) -> CommitError {
        CommitError(
            PostgresError(.server, message, sqlState: sqlState, constraint: constraint, statementIndex: statement)
        )
    }

    static func duplicate(_ constraint: String, statement: Int?) -> CommitError {
        let message = "duplicate key value violates unique constraint \"\(constraint)\""
        return refused("23505", message, constraint: constraint, statement: statement)
    }

    /// Two rows of one upsert have the same key.
    static func updatesTwice(statement: Int?) -> CommitError {
        let message = "ON CONFLICT DO UPDATE command cannot affect row a second time"
        return refused("21000", message, statement: statement)
    }

    static func refuseNul(_ texts: String..., statement: Int? = nil) throws(CommitError) {
        for text in texts where text.utf8.contains(0) {
            let message = "invalid byte sequence for encoding \"UTF8\": 0x00"
            throw refused("22021", message, statement: statement)
        }
    }
}
