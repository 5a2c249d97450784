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
        help: "The number of shards of a new database, 1 to 16; it is fixed. Default: half the cores."
    )

    static let command = Command(
        "migrate",
        abstract: "Upgrade a database to this version's schema.",
        discussion: "It is safe to repeat. 'sagamore dev' migrates automatically.",
        parameters: [postgres, shards, OutputFormat.option]
    ) { values in
        let shardCount = values[shards] ?? ServerConfiguration.defaultShardCount
        guard (1...16).contains(shardCount) else { throw UsageError("'--shards' expects a number from 1 to 16") }
        let url = values[postgres]
        let format = values[OutputFormat.option]
        try await Program.blocking {
            let outcome = try migrate(url, shardCount: shardCount)
            StandardOutput.show(format == .json ? json(outcome) : text(outcome))
        }
    }

    private static func migrate(_ url: String, shardCount: Int) throws(CommandFailure) -> Migrator.Outcome {
        do throws(PostgresError) {
            let connection = try PostgresConnection(url, applicationName: "sagamore migrate")
            defer { connection.close() }
            return try Migrator.migrate(connection, shardCount: shardCount)
        } catch {
            let what =
                error.code == .cannotConnect ? "cannot reach PostgreSQL" : "failed to upgrade the schema"
            throw CommandFailure("\(what): \(error.message)")
        }
    }

    private static func text(_ outcome: Migrator.Outcome) -> String {
        let applied = outcome.applied.map { "applied \($0)\n" }.joined()
        let summary = "The schema is at version \(outcome.version), with \(outcome.shardCount) shards"
        return applied + summary + (outcome.applied.isEmpty ? "; nothing to do.\n" : ".\n")
    }

    private static func json(_ outcome: Migrator.Outcome) -> String {
        let value: JSONValue = [
            "applied": .array(outcome.applied.map { .string($0) }),
            "version": .number(JSONNumber(outcome.version)),
            "shard_count": .number(JSONNumber(outcome.shardCount)),
            "installation_id": .string(outcome.installationID),
        ]
        return value.text() + "\n"
    }
}
