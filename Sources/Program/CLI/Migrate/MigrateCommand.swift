internal import SagamoreCommandLineArguments
internal import SagamoreJSONText
internal import SagamorePersistence
internal import SagamorePostgresClient
internal import SagamoreServer

/// `sagamore migrate`.
enum MigrateCommand {
    static let postgres = Option<String>(
        "--postgres",
        valueName: "URL",
        environment: ["SAGAMORE_POSTGRES"],
        isSensitive: true,
        help: "The database as a libpq URL: postgresql://user@host:port/database."
    )
    static let shards = Option<Int?>(
        "--shards",
        valueName: "COUNT",
        help: """
            The number of shards (commit lanes), 1 to 16; that of an existing database is changed while servers run. \
            Default: half the cores for a new database, no change for another.
            """
    )

    static let command = Command(
        "migrate",
        abstract: "Upgrade a database to this version's schema.",
        discussion: """
            It is safe to repeat. 'sagamore dev' migrates automatically. Example:
            sagamore migrate --postgres postgresql://localhost/sagamore
            """,
        parameters: [postgres, shards, OutputFormat.option]
    ) { values in
        let shardCount = values[shards]
        guard (1...16).contains(shardCount ?? 1) else { throw UsageError("'--shards' expects a number from 1 to 16") }
        let url = values[postgres]
        let format = values[OutputFormat.option]
        try await Program.blocking {
            let outcome = try migrate(url, shardCount: shardCount)
            StandardOutput.show(format.isJSON ? json(outcome) : text(outcome))
        }
    }

    /// What was done to the schema, and to the slices.
    private struct Outcome {
        let schema: Migrator.Outcome
        let slices: Migrator.Rebalancing?
        let shardCount: Int
    }

    private static func migrate(_ url: String, shardCount: Int?) throws(CommandFailure) -> Outcome {
        do throws(PostgresError) {
            let name = "sagamore migrate"
            let connection = try PostgresConnection(url, applicationName: name)
            defer { connection.close() }
            let count = shardCount ?? ServerConfiguration.defaultShardCount
            let progress = MigrationProgress(url: url, applicationName: name)
            defer { progress.end() }
            let schema = try Migrator.migrate(connection, shardCount: count) { progress.note($0) }
            var slices: Migrator.Rebalancing?
            if let shardCount { slices = try Migrator.rebalance(connection, shardCount: shardCount) }
            return Outcome(schema: schema, slices: slices, shardCount: shardCount ?? schema.slices.usedShardCount)
        } catch {
            let what =
                error.code == .cannotConnect ? "cannot reach PostgreSQL" : "failed to upgrade the database"
            throw CommandFailure("\(what): \(error.message)")
        }
    }

    private static func text(_ outcome: Outcome) -> String {
        var text = outcome.schema.applied.map { "applied \($0)\n" }.joined()
        var isChanged = !outcome.schema.applied.isEmpty
        if let slices = outcome.slices, slices.movedSlices > 0 {
            isChanged = true
            text += "moved \(slices.movedSlices) of \(SliceTable.sliceCount) slices, from \(slices.previousCount)"
            text += " to \(outcome.shardCount) shards; running servers take them up by themselves\n"
        }
        text += "The schema is at version \(outcome.schema.version), with \(outcome.shardCount) shards"
        return text + (isChanged ? ".\n" : "; nothing to do.\n")
    }

    private static func json(_ outcome: Outcome) -> String {
        let value: JSONValue = [
            "applied": .array(outcome.schema.applied.map { .string($0) }),
            "version": .number(JSONNumber(outcome.schema.version)),
            "shard_count": .number(JSONNumber(outcome.shardCount)),
            "moved_slices": .number(JSONNumber(outcome.slices?.movedSlices ?? 0)),
            "installation_id": .string(outcome.schema.installationID),
        ]
        return value.text() + "\n"
    }
}
