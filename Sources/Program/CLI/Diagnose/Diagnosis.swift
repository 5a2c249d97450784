internal import Glibc
internal import SagamoreConfiguration
internal import SagamoreHTTPClient
internal import SagamoreJSONText
internal import SagamoreKafkaClient
internal import SagamorePersistence
internal import SagamorePostgresClient
internal import SagamoreServer
internal import SagamoreServices

/// What is known of an installation, as text with a heading for each part.
struct Diagnosis {
    private let configuration: Configuration
    private let dynamic: DynamicConfiguration

    init(_ configuration: Configuration, _ dynamic: DynamicConfiguration) {
        self.configuration = configuration
        self.dynamic = dynamic
    }

    func text() -> String {
        var parts = [section("versions", versions()), section("configuration", configuration.effectiveFile)]
        for path in ["/healthz", "/readyz", "/metrics"] { parts.append(section("node \(path)", page(path))) }
        parts += database()
        parts.append(section("kafka", kafka()))
        return parts.joined(separator: "\n")
    }

    private func section(_ name: String, _ body: String) -> String {
        "==== \(name)\n\(body)\(body.hasSuffix("\n") || body.isEmpty ? "" : "\n")"
    }

    private func versions() -> String {
        var system = utsname()
        uname(&system)
        func text<Field>(_ field: Field) -> String {
            withUnsafeBytes(of: field) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
        }
        let kernel = "\(text(system.sysname)) \(text(system.release)) \(text(system.machine))"
        return """
            sagamore: \(SagamoreVersion.current)
            librdkafka: \(KafkaConfiguration.libraryVersion)
            system: \(kernel), \(sysconf(Int32(_SC_NPROCESSORS_ONLN))) cores
            node: \(configuration.nodeName)
            now: \(Self.time(Self.now))
            unknown keys of the dynamic configuration: \(dynamic.unknownKeys.joined(separator: ", "))
            """
    }

    private func page(_ path: String) -> String {
        guard let http = configuration.http else { return "there are no pages: 'http' has no value" }
        let host = http.host == "0.0.0.0" ? "127.0.0.1" : http.host.contains(":") ? "[\(http.host)]" : http.host
        let url = "\(http.tls == nil ? "http" : "https")://\(host):\(http.port)\(path)"
        do throws(HTTPClientError) {
            let limit = 16 << 20
            // The name in the certificate is another one than the address of this machine.
            let answer = try HTTPClient.answer(
                url,
                limit: limit,
                timeout: .seconds(5),
                allowsPlainText: true,
                trustsAnybody: true
            )
            return "status \(answer.status)\n" + String(decoding: answer.body, as: UTF8.self)
        } catch {
            return "\(url) cannot be reached (does the node run?): \(error)"
        }
    }

    private func database() -> [String] {
        do throws(PostgresError) {
            let source = try PostgresFigures(url: configuration.postgres.connectionString)
            defer { source.close() }
            let (figures, diagnosis) = (try source.read(), try source.diagnose())
            let names = Dictionary(diagnosis.namespaces.map { ($0.number, $0.name) }) { first, _ in first }
            return [
                section("database", server(figures, diagnosis)),
                section("leases", leases(figures)),
                section("workflows and backlogs", work(figures, names)),
                section("oldest alarms", alarms(diagnosis, names)),
            ]
        } catch {
            return [section("database", "it cannot be asked: \(error.message)")]
        }
    }

    private func server(_ figures: InstallationFigures, _ diagnosis: DatabaseDiagnosis) -> String {
        var lines = [
            diagnosis.serverVersion, "size: \(figures.databaseBytes) bytes",
            "sessions: \(figures.sessions.open) of \(figures.sessions.limit)",
            "oldest transaction: \(figures.oldestTransaction) s",
        ]
        lines += diagnosis.settings.map { "\($0.name) = \($0.value)" }
        lines += diagnosis.tables.map { "table \($0.name): about \($0.rows) rows, \($0.bytes) bytes" }
        return lines.joined(separator: "\n")
    }

    private func leases(_ figures: InstallationFigures) -> String {
        figures.leases.map { lease in
            "shard \(lease.shard): node '\(lease.node)', process \(lease.owner), epoch \(lease.epoch), "
                + "good for \(lease.secondsLeft) s"
        }
        .joined(separator: "\n")
    }

    private func work(_ figures: InstallationFigures, _ names: [Int32: String]) -> String {
        var lines = figures.openWorkflows.sorted { $0.key < $1.key }
            .map { "open in \(names[$0.key] ?? "\($0.key)"): \($0.value)" }
        lines.append("parked: \(figures.parkedRuns)")
        lines += figures.unpublished.sorted { $0.key < $1.key }.map { "unpublished of shard \($0.key): \($0.value)" }
        lines.append("dead events: \(figures.deadEvents)")
        for backlog in figures.backlogs {
            let kind = backlog.queue.kind == .workflow ? "workflow" : "activity"
            let namespace = names[backlog.queue.namespace] ?? "\(backlog.queue.namespace)"
            let age = max(0, (Self.now - backlog.oldest) / 1_000_000_000)
            lines.append(
                "backlog of \(namespace)/\(backlog.queue.name) (\(kind)): \(backlog.tasks) tasks, the oldest \(age) s"
            )
        }
        return lines.joined(separator: "\n")
    }

    private func alarms(_ diagnosis: DatabaseDiagnosis, _ names: [Int32: String]) -> String {
        diagnosis.alarms.map { alarm in
            let at = alarm.at.map { "due \(Self.time($0))" } ?? "in memory"
            return "\(names[alarm.namespace] ?? "\(alarm.namespace)") \(alarm.workflowType) \(alarm.workflowID) "
                + "\(alarm.runID): \(at), started \(Self.time(alarm.startedAt))"
        }
        .joined(separator: "\n")
    }

    private func kafka() -> String {
        guard let section = configuration.kafka else { return "there is none" }
        let front = section.frontConfiguration()
        do throws(KafkaError) {
            let admin = try KafkaAdmin(front.kafka)
            let topics = front.routes.flatMap(\.topics) + [front.cursorTopic]
            let cluster = try admin.clusterID(timeout: .seconds(5))
            let counts = try admin.partitionCounts(topics).sorted { $0.key < $1.key }.map { name, count in
                switch count {
                case .success(let count): "topic \(name): \(count) partitions"
                case .failure(let error): "topic \(name): \(error.message)"
                }
            }
            return (["cluster: \(cluster)"] + counts).joined(separator: "\n")
        } catch {
            return "it cannot be reached: \(error.message)"
        }
    }

    private static var now: Int64 {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
    }

    private static func time(_ nanoseconds: Int64) -> String {
        RFC3339.string(secondsSince1970: nanoseconds / 1_000_000_000)
    }
}
