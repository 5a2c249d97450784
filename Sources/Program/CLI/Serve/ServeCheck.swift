internal import SagamoreCommandLineArguments
internal import SagamoreConfiguration
internal import SagamoreJSONText
internal import SagamoreKafkaClient
internal import SagamorePersistence
internal import SagamorePostgresClient
internal import SagamoreServer

/// `sagamore serve --check`: the configuration is valid; can the services start with it?
struct ServeCheck {
    private let configuration: Configuration
    private let dynamic: DynamicConfiguration

    init(_ configuration: Configuration, _ dynamic: DynamicConfiguration) {
        self.configuration = configuration
        self.dynamic = dynamic
    }

    /// What was looked at.
    private struct Finding {
        let subject: String
        let isFine: Bool
        let text: String
    }

    /// Prints what is in effect and what was found.
    /// - Throws: `ExitCode.failure` when something cannot be reached.
    func run(_ format: OutputFormat) throws {
        var findings = [postgres()]
        if configuration.kafka != nil { findings.append(kafka()) }
        if let warning = configuration.kafka?.warning {
            findings.append(Finding(subject: "Kafka", isFine: true, text: warning))
        }
        findings += certificate() + unknownKeys()
        StandardOutput.show(format.isJSON ? json(findings) : text(findings))
        if findings.contains(where: { !$0.isFine }) { throw ExitCode.failure }
    }

    private func postgres() -> Finding {
        do throws(PostgresError) {
            let connection = try PostgresConnection(
                configuration.postgres.connectionString,
                applicationName: "sagamore check"
            )
            defer { connection.close() }
            let schema = try Migrator.inspect(connection)
            let text =
                switch schema.found {
                case 0: "reached; the database is empty, and the first start makes schema \(schema.known)"
                case schema.known: "reached; its schema is \(schema.known)"
                default: "reached; its schema is \(schema.found), and a start makes it \(schema.known)"
                }
            return Finding(subject: "PostgreSQL", isFine: true, text: text)
        } catch {
            return Finding(subject: "PostgreSQL", isFine: false, text: error.message)
        }
    }

    private func kafka() -> Finding {
        guard let section = configuration.kafka else { preconditionFailure("no Kafka") }
        let front = section.frontConfiguration()
        do throws(KafkaError) {
            let admin = try KafkaAdmin(front.kafka)
            let cluster = try admin.clusterID(timeout: .seconds(5))
            let topics = front.routes.flatMap(\.topics) + [front.cursorTopic]
            let missing = try admin.partitionCounts(topics).filter {
                if case .failure = $0.value { true } else { false }
            }
            let names = missing.keys.sorted().joined(separator: ", ")
            if missing.isEmpty { return Finding(subject: "Kafka", isFine: true, text: "reached, cluster \(cluster)") }
            let text = "reached, cluster \(cluster); these topics are missing or may not be seen: \(names)"
            return Finding(subject: "Kafka", isFine: section.createTopics, text: text)
        } catch {
            return Finding(subject: "Kafka", isFine: false, text: error.message)
        }
    }

    private func certificate() -> [Finding] {
        configuration.certificates.compactMap { listener, section in
            section.expiringSoon.map { day in
                let text = "that of \(listener.rawValue) expires on \(day): renew it"
                return Finding(subject: "certificate", isFine: true, text: text)
            }
        }
    }

    private func unknownKeys() -> [Finding] {
        dynamic.unknownKeys.map { key in
            let near = Suggestion.near(to: key, among: DynamicKey.all.map(\.name)).first.map { "; near is '\($0)'" }
            return Finding(subject: "dynamicConfig", isFine: true, text: "'\(key)' has no effect\(near ?? "")")
        }
    }

    private func text(_ findings: [Finding]) -> String {
        let lines = findings.map { "# \($0.isFine ? "ok" : "FAILED")  \($0.subject): \($0.text)\n" }
        return configuration.effectiveFile + "\n" + lines.joined()
    }

    private func json(_ findings: [Finding]) -> String {
        let value: JSONValue = [
            "configuration": .string(configuration.effectiveFile),
            "checks": .array(
                findings.map { ["subject": .string($0.subject), "ok": .bool($0.isFine), "message": .string($0.text)] }
            ),
        ]
        return value.text() + "\n"
    }
}
