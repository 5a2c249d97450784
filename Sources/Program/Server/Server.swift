public import SagamoreAuthorization
internal import SagamoreBatchService
internal import SagamoreEngine
internal import SagamoreGRPC
internal import SagamoreGRPCFront
internal import SagamoreHistoryService
internal import SagamoreKafkaClient
internal import SagamoreKafkaFront
internal import SagamoreLogging
internal import SagamoreMatchingService
internal import SagamoreMetrics
internal import SagamoreNamespaces
internal import SagamorePersistence
internal import SagamorePostgresClient
internal import SagamoreScheduleService
internal import SagamoreServices
internal import SagamoreThreads
internal import SagamoreVisibility
internal import SagamoreWebFront

/// The services of one process, assembled from a configuration.
///
/// `start` and `stop` block and must be called from one thread.
public final class Server {
    private let configuration: ServerConfiguration
    private let stopSignal: StopSignal
    private let log: Logger
    private var history: HistoryService?
    private var matching: MatchingService?
    private var grpc: GRPCServer?
    private var kafka: KafkaFront?
    private var memory: MemoryReclaimer?
    private var namespaces: NamespaceReclaimer?
    private var web: WebServer?
    private var figures: FiguresWatch?
    private var visibility: PostgresVisibility?
    private var batches: BatchService?
    private var schedules: ScheduleService?
    /// The port of the pages; nil without any, and before `start`.
    public var webPort: Int? { web?.port }
    private let registry = MetricsRegistry()
    private let readiness = Readiness()
    private let process = ServerConfiguration.processName()

    /// The certificate of the gRPC port, to be replaced while it is in use.
    public let certificates = ServerCertificates()

    /// The limits in force, to be replaced while the services run.
    public let limits: ServerLimits

    /// Who calls; nil: everybody may do everything. Its rules may be replaced while it is in use.
    public let authenticator: Authenticator?

    /// The port on which gRPC listens; 0 before `start`.
    public private(set) var grpcPort = 0

    /// - Parameter stopSignal: aborts waits in `start`. The services raise it when the process has to end.
    public init(_ configuration: ServerConfiguration, stopSignal: StopSignal) {
        self.configuration = configuration
        limits = ServerLimits(configuration.limits, configuration.requestLimits, metrics: registry)
        self.stopSignal = stopSignal
        authenticator = configuration.authentication.map { rules in
            Authenticator(rules) { SystemClock.now().nanoseconds / 1_000_000_000 }
        }
        log = Logger(label: "server")
    }

    /// Starts everything. Returns when the shards are owned, their runs are loaded, and the fronts accept requests.
    ///
    /// - Throws: `ServerError`. Whatever was started keeps running until `stop`.
    public func start() throws {
        // gRPC listens once the shards are owned, which may take as long as another node has them.
        try PortCheck.check(host: configuration.grpc.host, port: configuration.grpc.port)
        let pages = ServerPages(registry: registry, readiness: readiness)
        web = try configuration.http.map { address throws(ServerError) in try pages.serve(address) }
        certificates.use(web)
        let patience = Patience(stop: stopSignal, log: log)
        readiness.set("PostgreSQL has not been reached yet")
        let installation = try Installation.open(configuration, patience: patience)
        watchFigures(installation)
        let history = makeHistory(installation)
        pages.register(history)
        let matching = MatchingService(
            history: history,
            settings: PostgresTaskQueueSettings(url: configuration.postgresURL),
            clock: SystemClock.now,
            log: Logger(label: "matching")
        )
        try patience.wait(for: "PostgreSQL", describe: { (error: RequestError) in error.message }) {
            () throws(RequestError) in try matching.loadSettings()
        }
        pages.register(matching)
        history.connect(matching: matching)
        history.connect(namespaces: installation.namespaces)
        self.history = history
        self.matching = matching
        let kafka = try makeKafka(installation, history)
        self.kafka = kafka
        endWhenShardIsLost(history, kafka)
        history.start()
        matching.start()
        kafka?.start()
        readiness.set("standby: the shards are not owned yet, or their runs not loaded")
        try wait { history.isReady }
        // The node that had the shards before may have changed them since this one has read them.
        try patience.wait(for: "PostgreSQL", describe: { (error: RequestError) in error.message }) {
            () throws(RequestError) in try installation.namespaces.refresh()
        }
        // A node that waits does not listen: whoever has the addresses of both goes to the one that answers.
        try startGRPC(installation, history, matching)
        kafka?.ownershipChanged(ownsShards: true)
        readiness.set("Kafka has not been reached yet")
        if let kafka { try wait { kafka.isReady } }
        memory = MemoryReclaimer(log: log)
        let namespaces = NamespaceReclaimer(
            url: configuration.postgresURL,
            directory: installation.namespaces,
            history: history,
            log: Logger(label: "namespaces")
        )
        namespaces.start()
        self.namespaces = namespaces
        readiness.started { history.obstacle }
    }

    private func watchFigures(_ installation: Installation) {
        let figures = FiguresWatch(
            url: configuration.postgresURL,
            admission: limits.admission,
            namespaces: installation.namespaces,
            log: Logger(label: "figures")
        )
        figures.register(in: registry)
        figures.start()
        self.figures = figures
    }

    private func wait(until condition: () -> Bool) throws(ServerError) {
        while !condition() {
            if stopSignal.wait(for: .milliseconds(5)) != nil { throw .stopped }
        }
    }

    /// Creates the Kafka front if a cluster is configured.
    private func makeKafka(_ installation: Installation, _ history: HistoryService) throws(ServerError) -> KafkaFront? {
        guard var kafka = configuration.kafka else { return nil }
        kafka.limits = limits.limits
        let url = configuration.postgresURL
        let process = process
        do throws(KafkaError) {
            let front = try KafkaFront(
                configuration: kafka,
                history: history,
                makeOutboxStore: {
                    let settings = SessionSettings.publisher
                    let name = "sagamore publisher"
                    let connection = try PostgresConnection(url, applicationName: name, sessionSettings: settings)
                    return PostgresOutboxStore(connection, process: process)
                },
                namespaces: installation.namespaces,
                installationID: installation.id,
                shardCount: installation.slices.shardCount,
                shard: { history.shard(of: $0) },
                clock: SystemClock.now,
                metrics: KafkaFrontMetrics(registry),
                log: Logger(label: "kafka")
            )
            history.onOutboxGrowth { shard in front.outboxGrew(shard) }
            history.onSlicesMoved { shardCount in front.shardCountChanged(shardCount) }
            return front
        } catch {
            throw .kafka("cannot use Kafka: \(error.message)")
        }
    }

    private func makeHistory(_ installation: Installation) -> HistoryService {
        let url = configuration.postgresURL
        let log = Logger(label: "history")
        var settings = HistoryConfiguration(slices: installation.slices, node: configuration.node)
        settings.limitsInForce = limits.limits
        let history = HistoryService(
            configuration: settings,
            process: process,
            makeLaneStore: { shard in
                let name = "sagamore lane \(shard)"
                let settings = SessionSettings.lane
                let connection = try PostgresConnection(url, applicationName: name, sessionSettings: settings)
                return PostgresLaneStore(connection) { log.critical("shard \(shard): \($0)") }
            },
            makeLoaderStore: {
                let settings = SessionSettings.loader
                return PostgresLoaderStore(
                    try PostgresConnection(url, applicationName: "sagamore loader", sessionSettings: settings)
                )
            },
            encoder: StatusEventJSON(),
            clock: SystemClock.now,
            metrics: HistoryMetrics(registry),
            log: log
        )
        return history
    }

    /// Ends the process when it loses a shard. It leaves the command group at once, so that the new owner gets all
    /// partitions.
    private func endWhenShardIsLost(_ history: HistoryService, _ kafka: KafkaFront?) {
        let (stopSignal, log, readiness) = (stopSignal, log, readiness)
        history.onShardLost { shard, loss in
            readiness.set("shard \(shard) was lost")
            kafka?.ownershipChanged(ownsShards: false)
            let reason =
                switch loss {
                case .takenByAnother: "another process took over shard \(shard)"
                case .databaseWentBack: "the database lost commits of shard \(shard)"
                }
            log.critical("\(reason); exiting")
            stopSignal.give(.failed(reason))
        }
    }

    private func startGRPC(
        _ installation: Installation,
        _ history: HistoryService,
        _ matching: MatchingService
    ) throws(ServerError) {
        let grpcLog = Logger(label: "grpc")
        let server = GRPCServer(
            configuration.grpc,
            metrics: registry,
            log: { level, line in grpcLog.log(level: level.loggingLevel, line) }
        )
        let visibility = PostgresVisibility(url: configuration.postgresURL, log: Logger(label: "visibility"))
        visibility.start()
        self.visibility = visibility
        let batches = BatchService(
            url: configuration.postgresURL,
            history: history,
            visibility: visibility,
            namespaces: installation.namespaces,
            limits: limits.limits,
            clock: SystemClock.now,
            log: Logger(label: "batches")
        )
        batches.start()
        self.batches = batches
        let schedules = ScheduleService(
            url: configuration.postgresURL,
            history: history,
            namespaces: installation.namespaces,
            visibility: visibility,
            limits: limits.limits,
            clock: SystemClock.now,
            metrics: ScheduleMetrics(registry),
            log: Logger(label: "schedules")
        )
        schedules.start()
        history.connect(schedules: schedules)
        self.schedules = schedules
        let front = GRPCFront(
            history: history,
            matching: matching,
            namespaces: installation.namespaces,
            visibility: visibility,
            batches: batches,
            schedules: schedules,
            clock: SystemClock.now,
            cluster: ClusterInformation(clusterID: installation.id, shards: installation.slices.usedShardCount),
            limits: limits.limits,
            authorization: authorization(),
            admission: limits.admission,
            log: Logger(label: "grpc-front")
        )
        front.register(on: server)
        do throws(GRPCServerError) {
            grpcPort = try server.start()
        } catch {
            throw .cannotListen(error)
        }
        grpc = server
        certificates.use(server)
    }

    private func authorization() -> CallAuthorization? {
        guard let authenticator else { return nil }
        let log = Logger(label: "authorization")
        if let source = configuration.keySet {
            KeySetWatch(source: source, authenticator: authenticator, log: log).start(until: stopSignal)
        }
        return CallAuthorization(authenticator, metrics: registry, log: log)
    }

    /// Shuts everything down in order: the fronts reject new requests and finish open ones, polls end without a task,
    /// and lanes commit their queues and release their shards.
    public func stop() {
        readiness.set("stopping")
        figures?.stop()
        figures = nil
        memory?.stop()
        memory = nil
        namespaces?.stop()
        namespaces = nil
        let grpc = grpc
        let drain = SystemThread.required("grpc-drain") { grpc?.shutdown(grace: .seconds(2)) }
        kafka?.stop()
        matching?.stop()
        batches?.stop()
        batches = nil
        schedules?.stop()
        schedules = nil
        visibility?.stop()
        visibility = nil
        drain.join()
        history?.stop()
        kafka = nil
        certificates.use(nil as GRPCServer?)
        self.grpc = nil
        matching = nil
        history = nil
        certificates.use(nil as WebServer?)
        web?.stop()
        web = nil
    }
}

extension GRPCLogLevel {
    fileprivate var loggingLevel: Logger.Level {
        switch self {
        case .debug: .debug
        case .info: .info
        case .warning: .warning
        case .error: .error
        }
    }
}
