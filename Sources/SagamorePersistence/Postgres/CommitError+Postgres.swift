internal import SagamorePostgresClient

extension CommitError {
    /// Sorts an error of the database by what the lane does about it.
    init(_ error: PostgresError) {
        if error.code == .outcomeUnknown {
            self = .outcomeUnknown(error)
        } else if error.sqlState == "SG001" {
            self = .fenced
        } else if error.isDataError {
            self = .data(error)
        } else if error.isTransient || error.code == .cannotConnect || error.code == .connectionLost {
            self = .transient(error)
        } else {
            self = .permanent(error)
        }
    }
}
