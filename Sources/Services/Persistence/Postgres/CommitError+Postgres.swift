internal import SagamorePostgresClient

extension CommitError {
    /// Sorts an error of the database by what the lane does about it.
    init(_ error: PostgresError) {
        if error.code == .outcomeUnknown {
            self = .outcomeUnknown(error)
        } else if error.sqlState == "SG001" {
            self = .fenced
        } else if error.isDataError || error.sqlState == Self.knownWorkflow {
            self = .data(error)
        } else if error.isTransient || Self.isOfServer(error) {
            self = .transient(error)
        } else {
            self = .permanent(error)
        }
    }

    /// The SQLSTATE of a batch in which a workflow was taken to be new and has a run.
    public static let knownWorkflow = "SG002"

    /// Whether the server's state is to blame and not what is written: connections (08), a server that takes no writes
    /// (25006: a standby), objects that are locked or not ready (55), the system below it (58).
    private static func isOfServer(_ error: PostgresError) -> Bool {
        guard let state = error.sqlState else { return false }
        return state == "25006" || ["08", "55", "58"].contains { state.hasPrefix($0) }
    }
}
