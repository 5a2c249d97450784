public import SagamorePostgresClient

/// Migrates a database to this version's schema. Can run any number of times, and in several processes at once.
public enum Migrator {
    /// The result of a migration.
    public struct Outcome: Sendable, Equatable {
        /// The steps that ran, as `version: summary`.
        public let applied: [String]
        /// The schema's version afterwards.
        public let version: Int
        /// The shard of each slice.
        public let slices: SliceTable
        /// The number of shards that have to be owned.
        public var shardCount: Int { slices.shardCount }
        /// Created with the database. Names its cursor group and its producers on the broker.
        public let installationID: String
    }

    /// What a migration has come to.
    public enum Progress: Sendable, Equatable {
        /// It applies a version of the schema, as `version: summary`.
        case applying(String)
        /// It waits for another process that makes indexes.
        case waiting
        /// It makes an index, one of so many, while others read and write the table.
        case indexing(String, number: Int, of: Int)
    }

    /// - Parameters:
    ///   - shardCount: used when the database is new; `rebalance` changes it later.
    ///   - note: is told of each step when it begins.
    /// - Throws: `.usage` for a database that a newer program has brought further than this one knows, and for one that
    ///   a development version made.
    public static func migrate(
        _ connection: PostgresConnection,
        shardCount: Int,
        note: (Progress) -> Void = { _ in }
    ) throws(PostgresError) -> Outcome {
        guard shardLimit.contains(shardCount) else {
            throw PostgresError(.usage, "no database has \(shardCount) shards")
        }
        try connection.execute("set client_min_messages = warning")
        try connection.execute(
            """
            begin;
            select pg_advisory_xact_lock(7233823301);
            create schema if not exists sagamore;
            create table if not exists sagamore.schema_versions (
                version integer primary key,
                summary text not null,
                applied_at timestamptz not null default now()
            );
            commit;
            """
        )
        try refuseOtherSchemas(connection)
        var applied: [String] = []
        for migration in Migrations.all {
            let shown = "\(migration.version): \(migration.summary)"
            if try apply(migration, connection, { note(.applying(shown)) }) { applied.append(shown) }
        }
        try makeIndexes(connection, note)
        try install(connection, shardCount: shardCount)
        let row = try connection.query(installation)
        let level = row.int32(0, 1)
        guard level <= Migrations.formatLevel else {
            throw tooOld(formatLevel: level)
        }
        return Outcome(
            applied: applied,
            version: Int(Migrations.all.last?.version ?? 0),
            slices: try SliceTable.read(connection),
            installationID: row.text(0, 0)
        )
    }

    /// The version of a database's schema, 0 for none, and the one that this program knows. Changes nothing.
    /// - Throws: `.usage` for a schema that this program cannot use.
    public static func inspect(_ connection: PostgresConnection) throws(PostgresError) -> (found: Int, known: Int) {
        let known = Migrations.all.last.map { Int($0.version) } ?? 0
        guard try connection.query(hasSchema).int32(0, 0) > 0 else { return (0, known) }
        try refuseOtherSchemas(connection)
        let row = try connection.query(installation)
        if row.rowCount == 1, row.int32(0, 1) > Migrations.formatLevel { throw tooOld(formatLevel: row.int32(0, 1)) }
        return (Int(try connection.query(newestVersion).int32(0, 0)), known)
    }

    /// The allowed number of shards.
    static let shardLimit = 1...1_024

    private static func refuseOtherSchemas(_ connection: PostgresConnection) throws(PostgresError) {
        let newest = try connection.query(newestVersion).int32(0, 0)
        guard newest == 0 || newest >= Migrations.first else {
            throw PostgresError(
                .usage,
                "the database was made by a development version of sagamore (schema \(newest)), which this version"
                    + " can't upgrade; use an empty database, or with 'sagamore dev' another --data-dir"
            )
        }
        let known = Migrations.all.last?.version ?? 0
        guard newest <= known else { throw tooOld("schema \(newest), and this program knows schema \(known)") }
    }

    private static func tooOld(_ difference: String) -> PostgresError {
        PostgresError(.usage, "this program is too old: the database has \(difference); use a newer sagamore")
    }

    /// What this program says to forms that it does not read.
    static func tooOld(formatLevel level: Int32) -> PostgresError {
        tooOld("format level \(level), and this program reads level \(Migrations.formatLevel)")
    }

    private static func apply(
        _ migration: Migration,
        _ connection: PostgresConnection,
        _ begin: () -> Void
    ) throws(PostgresError) -> Bool {
        try connection.execute("begin; select pg_advisory_xact_lock(7233823301)")
        do throws(PostgresError) {
            let known = try connection.query(isApplied, [.int32(migration.version)])
            guard known.rowCount == 0 else {
                try connection.execute("commit")
                return false
            }
            begin()
            try connection.execute(migration.sql)
            _ = try connection.query(recordVersion, [.int32(migration.version), .text(migration.summary)])
            try connection.execute("commit")
            return true
        } catch {
            try? connection.execute("rollback")
            throw error
        }
    }

    /// Makes the indexes that are missing, while others read and write their tables. One that was begun and not ended
    /// is made anew.
    private static func makeIndexes(
        _ connection: PostgresConnection,
        _ note: (Progress) -> Void
    ) throws(PostgresError) {
        guard try !missingIndexes(connection).isEmpty else { return }
        // A statement that waited for the lock would have a snapshot, for which another one's index would wait.
        while try !connection.query(tryLock).bool(0, 0) {
            note(.waiting)
            try connection.execute("select pg_sleep(0.2)")
        }
        do throws(PostgresError) {
            let missing = try missingIndexes(connection)
            for (number, index) in missing.enumerated() {
                note(.indexing(index.name, number: number + 1, of: missing.count))
                try connection.execute("drop index concurrently if exists sagamore.\(index.name)")
                try connection.execute("create index concurrently \(index.name) on \(index.definition)")
            }
            try connection.execute(unlock)
        } catch {
            try? connection.execute(unlock)
            throw error
        }
    }

    private static func missingIndexes(_ connection: PostgresConnection) throws(PostgresError) -> [Migration.Index] {
        let rows = try connection.query(validIndexes)
        let valid = Set((0..<rows.rowCount).map { rows.text($0, 0) })
        return Migrations.all.flatMap(\.indexes).filter { !valid.contains($0.name) }
    }

    private static func install(_ connection: PostgresConnection, shardCount: Int) throws(PostgresError) {
        try connection.execute(
            """
            begin;
            select pg_advisory_xact_lock(7233823301);
            insert into sagamore.installation (id, format_level)
                values (gen_random_uuid(), \(Migrations.formatLevel)) on conflict do nothing;
            update sagamore.installation set format_level = \(Migrations.formatLevel)
                where format_level < \(Migrations.formatLevel);
            insert into sagamore.shards (id)
                select generate_series(0, \(shardCount - 1)) where not exists (select from sagamore.slices);
            insert into sagamore.slices (slice, shard)
                select slice, slice * \(shardCount) / \(SliceTable.sliceCount)
                from generate_series(0, \(SliceTable.sliceCount - 1)) as slice
                where not exists (select from sagamore.slices);
            commit;
            """
        )
    }

    private static let tryLock = PostgresStatement("migration_try_lock", "select pg_try_advisory_lock(7233823302)")
    private static let unlock = "select pg_advisory_unlock(7233823302)"
    private static let validIndexes = PostgresStatement(
        "migration_indexes",
        """
        select c.relname::text from pg_index i join pg_class c on c.oid = i.indexrelid
            join pg_namespace n on n.oid = c.relnamespace where n.nspname = 'sagamore' and i.indisvalid
        """
    )
    private static let isApplied = PostgresStatement(
        "migration_is_applied",
        "select 1 from sagamore.schema_versions where version = $1"
    )
    private static let hasSchema = PostgresStatement(
        "migration_has_schema",
        "select count(*)::int from pg_catalog.pg_tables where schemaname = 'sagamore' and tablename = 'schema_versions'"
    )
    private static let newestVersion = PostgresStatement(
        "migration_newest",
        "select coalesce(max(version), 0) from sagamore.schema_versions"
    )
    private static let recordVersion = PostgresStatement(
        "migration_record",
        "insert into sagamore.schema_versions (version, summary) values ($1, $2)"
    )
    private static let installation = PostgresStatement(
        "migration_installation",
        "select id::text, format_level from sagamore.installation"
    )
}
