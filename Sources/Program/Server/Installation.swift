internal import SagamoreEngine
internal import SagamoreNamespaces
internal import SagamorePersistence
internal import SagamorePostgresClient
internal import SagamoreServices

/// A database that is ready for use: migrated, with its namespaces.
struct Installation {
    let id: String
    let shardCount: Int
    let namespaces: PostgresNamespaceDirectory

    /// Closed runs of a namespace that was made by the configuration are kept so long: Temporal's dev server, 1 day.
    private static let retention = Interval.seconds(86_400)

    /// Brings the database to this version. Waits for one that can't be reached.
    static func open(_ configuration: ServerConfiguration, patience: Patience) throws -> Installation {
        let outcome: Migrator.Outcome
        do {
            outcome = try patience.wait(
                for: "PostgreSQL",
                isHopeless: { (error: PostgresError) in !(error.isTransient || error.code == .outcomeUnknown) },
                describe: { $0.message }
            ) { () throws(PostgresError) in
                let connection = try PostgresConnection(configuration.postgresURL, applicationName: "sagamore migrate")
                defer { connection.close() }
                return try Migrator.migrate(connection, shardCount: configuration.shardCount)
            }
        } catch let error as PostgresError {
            // What is wrong with the caller's side is said in a sentence already.
            let reason = error.code == .usage ? error.message : "\(error)"
            throw ServerError.database("the database can't be used: \(reason)")
        }
        let namespaces = try patience.wait(for: "PostgreSQL", isHopeless: isHopeless) { () throws(RequestError) in
            try PostgresNamespaceDirectory(url: configuration.postgresURL)
        }
        for name in configuration.namespaces {
            try patience.wait(for: "PostgreSQL", isHopeless: isHopeless) { () throws(RequestError) in
                try add(name, to: namespaces)
            }
        }
        return Installation(id: outcome.installationID, shardCount: outcome.shardCount, namespaces: namespaces)
    }

    private static func isHopeless(_ error: RequestError) -> Bool { error.code != .unavailable }

    private static func add(_ name: String, to namespaces: PostgresNamespaceDirectory) throws(RequestError) {
        guard (try? namespaces.namespace(named: name)) == nil else { return }
        do throws(RequestError) {
            _ = try namespaces.register(
                name: name,
                description: "",
                ownerEmail: "",
                retention: retention,
                data: [:]
            )
        } catch {
            // Another process was faster.
            guard error.code == .alreadyExists else { throw error }
        }
    }
}
