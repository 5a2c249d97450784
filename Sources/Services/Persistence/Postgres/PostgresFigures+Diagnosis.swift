internal import SagamoreEngine
public import SagamorePostgresClient

extension PostgresFigures {
    private static let alarms = PostgresStatement(
        "diagnosis_alarms",
        """
        select a.run_id, r.namespace, r.workflow_id, r.workflow_type, a.alarm_at, r.started_at
            from (
                (select run_id, alarm_at from sagamore.alarms where alarm_at is not null
                    order by alarm_at, run_id limit 10)
                union all
                (select run_id, alarm_at from sagamore.alarms where alarm_at is null order by run_id limit 10)
            ) a join sagamore.runs r using (run_id)
        """,
        readsOnly: true
    )
    private static let tables = PostgresStatement(
        "diagnosis_tables",
        """
        select relname::text, n_live_tup, pg_total_relation_size(relid) from pg_stat_user_tables
            where schemaname = 'sagamore' order by 3 desc
        """,
        readsOnly: true
    )
    private static let settings = PostgresStatement(
        "diagnosis_settings",
        """
        select name::text, current_setting(name) from pg_settings where name in (
            'fsync', 'synchronous_commit', 'full_page_writes', 'max_connections', 'shared_buffers', 'max_wal_size',
            'checkpoint_timeout', 'wal_level', 'synchronous_standby_names', 'autovacuum', 'TimeZone')
            order by 1
        """,
        readsOnly: true
    )
    private static let version = PostgresStatement("diagnosis_version", "select version()::text", readsOnly: true)
    private static let namespaces = PostgresStatement(
        "diagnosis_namespaces",
        "select number, name from sagamore.namespaces order by number limit 1000",
        readsOnly: true
    )

    /// Reads what a bug report tells of the database.
    public func diagnose() throws(PostgresError) -> DatabaseDiagnosis {
        let alarms = try connection.query(Self.alarms)
        let tables = try connection.query(Self.tables)
        let settings = try connection.query(Self.settings)
        let namespaces = try connection.query(Self.namespaces)
        return DatabaseDiagnosis(
            serverVersion: try connection.query(Self.version).text(0, 0),
            settings: (0..<settings.rowCount).map { (settings.text($0, 0), settings.text($0, 1)) },
            alarms: (0..<alarms.rowCount).map { row in
                let id = alarms.uuid(row, 0)
                return DatabaseDiagnosis.Alarm(
                    runID: RunID(high: id.0, low: id.1),
                    namespace: alarms.int32(row, 1),
                    workflowID: alarms.text(row, 2),
                    workflowType: alarms.text(row, 3),
                    at: alarms.optionalInt64(row, 4),
                    startedAt: alarms.int64(row, 5)
                )
            },
            tables: (0..<tables.rowCount).map { row in
                DatabaseDiagnosis.Table(
                    name: tables.text(row, 0),
                    rows: tables.int64(row, 1),
                    bytes: tables.int64(row, 2)
                )
            },
            namespaces: (0..<namespaces.rowCount).map { (namespaces.int32($0, 0), namespaces.text($0, 1)) }
        )
    }
}
