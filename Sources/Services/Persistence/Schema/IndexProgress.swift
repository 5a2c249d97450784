public import SagamorePostgresClient

/// How far PostgreSQL is with an index that a session makes.
public struct IndexProgress: Sendable, Equatable {
    /// What it does, in PostgreSQL's words: it goes through a table several times.
    public let phase: String
    /// How much of this phase is done, 0 to 1; nil where it cannot tell.
    public let share: Double?

    /// Asks for the index that is made by the sessions of a name.
    ///
    /// - Returns: nil while they make none.
    public static func read(
        _ connection: PostgresConnection,
        madeBy applicationName: String
    ) throws(PostgresError) -> IndexProgress? {
        let rows = try connection.query(statement, [.text(applicationName)])
        guard rows.rowCount > 0 else { return nil }
        let (done, total) = (rows.int64(0, 1), rows.int64(0, 2))
        return IndexProgress(phase: rows.text(0, 0), share: total > 0 ? Double(done) / Double(total) : nil)
    }

    private static let statement = PostgresStatement(
        "index_progress",
        """
        select p.phase, case when p.blocks_total > 0 then p.blocks_done else p.tuples_done end,
            case when p.blocks_total > 0 then p.blocks_total else p.tuples_total end
            from pg_stat_progress_create_index p join pg_stat_activity a using (pid)
            where a.application_name = $1 limit 1
        """,
        readsOnly: true
    )
}
