internal import SagamoreEngine
internal import SagamoreNamespaces
internal import SagamorePersistence
internal import SagamorePostgresClient
internal import SagamoreServices

/// A database that is ready for use: migrated, and with its namespaces loaded.
struct Installation {
    let id: String
    let slices: SliceTable
    let namespaces: PostgresNamespaceDirectory

    /// Migrates the database to this version. Waits for a database that is unreachable.
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
            // The message of a usage error is a sentence already.
            let reason = error.code == .usage ? error.message : "\(error)"
            throw ServerError.database("cannot use the database: \(reason)")
        }
        let namespaces = try patience.wait(for: "PostgreSQL", isHopeless: isHopeless) { () throws(RequestError) in
            try PostgresNamespaceDirectory(url: configuration.postgresURL)
        }
        for namespace in configuration.namespaces {
            try patience.wait(for: "PostgreSQL", isHopeless: isHopeless) { () throws(RequestError) in
                try add(namespace, to: namespaces)
            }
        }
        return Installation(id: outcome.installationID, slices: outcome.slices, namespaces: namespaces)
    }

    private static func isHopeless(_ error: RequestError) -> Bool { error.code != .unavailable }

    private static func add(
        _ namespace: InitialNamespace,
        to namespaces: PostgresNamespaceDirectory
    ) throws(RequestError) {
        try register(namespace, in: namespaces)
        let known = try namespaces.namespace(named: namespace.name).searchAttributes
        var missing: [(name: String, type: SearchAttributeType)] = []
        for (name, type) in namespace.searchAttributes.sorted(by: { $0.key < $1.key }) {
            guard let attribute = known[name] else {
                missing.append((name, type))
                continue
            }
            guard attribute.type == type else {
                throw .invalidArgument(
                    "the search attribute \(name) of namespace \(namespace.name) is of type \(attribute.type.name),"
                        + " not \(type.name)"
                )
            }
        }
        if !missing.isEmpty { _ = try namespaces.addSearchAttributes(missing, to: namespace.name) }
    }

    private static func register(
        _ namespace: InitialNamespace,
        in namespaces: PostgresNamespaceDirectory
    ) throws(RequestError) {
        guard (try? namespaces.namespace(named: namespace.name)) == nil else { return }
        do throws(RequestError) {
            _ = try namespaces.register(
                name: namespace.name,
                description: "",
                ownerEmail: "",
                retention: namespace.retention,
                data: [:]
            )
        } catch {
            // Another process created it first.
            guard error.code == .alreadyExists else { throw error }
        }
    }
}
