internal import Glibc
internal import SagamoreEmbeddedPostgres
internal import SagamoreKafkaClient
internal import SagamoreKafkaFront
internal import SagamoreLogging

/// Everything on this machine without setup: a private PostgreSQL, a development Kafka broker, and the services.
///
/// `start` and `stop` block and must be called from one thread.
public final class DevServer {
    private let configuration: DevConfiguration
    private let stopSignal: StopSignal
    private let log = Logger(label: "dev")
    private var folder: DataFolder?
    private var postgres: EmbeddedPostgres?
    private var broker: KafkaDevelopmentBroker?
    private var server: Server?
    private var guardian: PostgresGuardian?

    /// - Parameter stopSignal: aborts `start`. The services raise it when the process has to end.
    public init(_ configuration: DevConfiguration, stopSignal: StopSignal) {
        self.configuration = configuration
        self.stopSignal = stopSignal
    }

    /// Starts everything. Returns when all of it is ready and `dev.json` has the addresses.
    ///
    /// - Throws: `ServerError`, `EmbeddedPostgresError`. Whatever was started keeps running until `stop`.
    public func start() throws -> DevFile {
        try PortCheck.check(host: configuration.host, port: configuration.grpcPort)
        let folder = try DataFolder(configuration)
        self.folder = folder
        DevFile.remove(in: folder.path)
        let url = try configuration.postgresURL ?? startPostgres(folder)
        var settings = ServerConfiguration(
            postgresURL: url,
            node: "\(ServerConfiguration.hostName):\(folder.path)"
        )
        settings.grpc.host = configuration.host
        settings.grpc.port = configuration.grpcPort
        settings.namespaces = configuration.namespaces.map { name in
            var namespace = InitialNamespace(name)
            namespace.searchAttributes = configuration.searchAttributes
            return namespace
        }
        settings.limits = configuration.limits
        settings.requestLimits = configuration.requestLimits
        settings.http = pages()
        let kafka = try makeKafka()
        settings.kafka = kafka
        let server = Server(settings, stopSignal: stopSignal)
        self.server = server
        try server.start()
        let host = configuration.host.contains(":") ? "[\(configuration.host)]" : configuration.host
        let file = DevFile(
            grpc: "\(host):\(server.grpcPort)",
            http: server.webPort.map { "\(host):\($0)" },
            kafka: kafka.kafka.bootstrap,
            postgres: url,
            postgresPID: postgres?.postmasterPID,
            pid: getpid()
        )
        try file.write(in: folder.path)
        if let postgres { guardian = PostgresGuardian(postgres, file, in: folder.path, log: log) }
        return file
    }

    /// Where the pages are. Several may run on a machine, and only one of them gets the usual port.
    private func pages() -> WebAddress? {
        do throws(ServerError) {
            try PortCheck.check(host: configuration.host, port: configuration.httpPort)
            return WebAddress(host: configuration.host, port: configuration.httpPort)
        } catch {
            log.warning(
                "the port of the pages is taken, so there are none: set '--http-port'",
                metadata: ["port": "\(configuration.httpPort)"]
            )
            return nil
        }
    }

    /// The data folder in use; nil before `start`.
    public var dataFolder: String? { folder?.path }

    private func startPostgres(_ folder: DataFolder) throws -> String {
        let log = log
        let postgres = EmbeddedPostgres(dataDirectory: folder.postgres, log: { line in log.info("\(line)") })
        self.postgres = postgres
        try postgres.start()
        return postgres.url
    }

    private func makeKafka() throws(ServerError) -> KafkaFrontConfiguration {
        if let bootstrap = configuration.kafkaBootstrap {
            return KafkaFrontConfiguration(kafka: KafkaConfiguration(bootstrap: bootstrap))
        }
        do throws(KafkaError) {
            let brokerLog = Logger(label: "kafka-broker")
            let broker = try KafkaDevelopmentBroker(log: { line in brokerLog.debug("\(line)") })
            self.broker = broker
            return KafkaFrontConfiguration(development: broker)
        } catch {
            throw .kafka(error.message)
        }
    }

    /// Shuts everything down in order. Safe to repeat, also after a failed `start`.
    public func stop() {
        if let folder { DevFile.remove(in: folder.path) }
        guardian?.stop()
        guardian = nil
        server?.stop()
        server = nil
        broker?.close()
        broker = nil
        do {
            if configuration.isEphemeral { try postgres?.wipe() } else { try postgres?.stop() }
        } catch {
            log.error("failed to stop PostgreSQL: \(error)")
        }
        postgres = nil
        folder?.removeIfEphemeral()
        folder = nil
    }
}
