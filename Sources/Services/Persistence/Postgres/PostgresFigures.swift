public import SagamorePostgresClient
internal import SagamoreServices

/// Reads what the database says of an installation. Belongs to one thread; `read` is for those who watch, and takes as
/// long as counting open workflows takes.
public final class PostgresFigures {
    let connection: PostgresConnection

    /// - Parameter url: where the migrated database is, as libpq reads it.
    /// - Throws: when it cannot be reached.
    public init(url: String) throws(PostgresError) {
        connection = try PostgresConnection(
            url,
            applicationName: "sagamore figures",
            sessionSettings: [("statement_timeout", "5s"), ("default_transaction_read_only", "on")]
        )
    }

    /// Ends the session.
    public func close() { connection.close() }

    private static let open = PostgresStatement(
        "figures_open",
        "select open_namespace, count(*) from sagamore.alarms where open_namespace is not null group by 1",
        readsOnly: true
    )
    private static let alarms = PostgresStatement(
        "figures_alarms",
        "select count(*), min(alarm_at) from sagamore.alarms where alarm_at is not null",
        readsOnly: true
    )
    private static let backlogs = PostgresStatement(
        "figures_backlogs",
        "select queue, count(*), min(since) from sagamore.backlog group by queue order by 2 desc, 1 limit 50",
        readsOnly: true
    )
    private static let unpublished = PostgresStatement(
        "figures_outbox",
        """
        select s.id, (select count(*) from sagamore.outbox o
                left join sagamore.outbox_positions p on p.shard = o.shard and p.topic = o.topic
                where o.shard = s.id and o.sequence > coalesce(p.sequence, 0))
            from sagamore.shards s
        """,
        readsOnly: true
    )
    private static let leases = PostgresStatement(
        "figures_leases",
        """
        select id, node, owner, epoch,
            case when lease_until > '-infinity'
                then (extract(epoch from lease_until - clock_timestamp()) * 1000)::bigint else 0 end
            from sagamore.shards order by id
        """,
        readsOnly: true
    )
    private static let compensating = PostgresStatement(
        "figures_compensating",
        """
        select namespace, count(*) from sagamore.runs where saga_status = 2 and closed_at is null group by 1
        """,
        readsOnly: true
    )
    private static let uncompensated = PostgresStatement(
        "figures_uncompensated",
        "select namespace, count(*) from sagamore.runs where saga_status = 4 group by 1",
        readsOnly: true
    )
    private static let server = PostgresStatement(
        "figures_server",
        """
        select pg_database_size(current_database()), (select count(*) from sagamore.dead_events),
            (select coalesce((extract(epoch from max(clock_timestamp() - xact_start)) * 1000)::bigint, 0)
                from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()),
            (select count(*) from pg_stat_activity where backend_type = 'client backend'),
            (select setting::bigint from pg_settings where name = 'max_connections')
        """,
        readsOnly: true
    )

    /// Open workflows by namespace.
    public func openWorkflows() throws(PostgresError) -> [Int32: Int64] {
        try counts(Self.open)
    }

    private func counts(_ statement: PostgresStatement) throws(PostgresError) -> [Int32: Int64] {
        let rows = try connection.query(statement)
        return Dictionary(uniqueKeysWithValues: (0..<rows.rowCount).map { (rows.int32($0, 0), rows.int64($0, 1)) })
    }

    /// Everything. The parts are read one after the other, each as the database is then.
    public func read() throws(PostgresError) -> InstallationFigures {
        var figures = InstallationFigures()
        figures.openWorkflows = try openWorkflows()
        figures.compensatingSagas = try counts(Self.compensating)
        figures.uncompensatedSagas = try counts(Self.uncompensated)
        let alarms = try connection.query(Self.alarms)
        figures.parkedRuns = alarms.int64(0, 0)
        figures.oldestAlarm = alarms.optionalInt64(0, 1)
        let backlogs = try connection.query(Self.backlogs)
        figures.backlogs = (0..<backlogs.rowCount).compactMap { row in
            TaskQueueKey(storedName: backlogs.text(row, 0)).map { queue in
                InstallationFigures.Backlog(
                    queue: queue,
                    tasks: backlogs.int64(row, 1),
                    oldest: backlogs.int64(row, 2)
                )
            }
        }
        let unpublished = try connection.query(Self.unpublished)
        for row in 0..<unpublished.rowCount {
            figures.unpublished[unpublished.int32(row, 0)] = unpublished.int64(row, 1)
        }
        let leases = try connection.query(Self.leases)
        figures.leases = (0..<leases.rowCount).map { row in
            InstallationFigures.Lease(
                shard: leases.int32(row, 0),
                node: leases.text(row, 1),
                owner: leases.text(row, 2),
                epoch: leases.int64(row, 3),
                secondsLeft: Double(leases.int64(row, 4)) / 1_000
            )
        }
        let server = try connection.query(Self.server)
        figures.databaseBytes = server.int64(0, 0)
        figures.deadEvents = server.int64(0, 1)
        figures.oldestTransaction = Double(server.int64(0, 2)) / 1_000
        figures.sessions = (server.int64(0, 3), server.int64(0, 4))
        return figures
    }
}
