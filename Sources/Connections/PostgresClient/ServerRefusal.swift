internal import CSagamorePostgres

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
