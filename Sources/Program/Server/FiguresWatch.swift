internal import SagamoreGRPCFront
internal import SagamoreLogging
internal import SagamoreMetrics
internal import SagamorePersistence
internal import SagamorePostgresClient
internal import SagamoreServices
internal import SagamoreThreads

/// Asks the database what it knows of the installation: for the metrics, and for the limits of open workflows. It has a
/// thread and a session of its own, so that a slow answer keeps nobody waiting.
final class FiguresWatch: Sendable {
    private let url: String
    private let admission: CallAdmission
    private let namespaces: any NamespaceRegistry
    private let log: Logger
    private let bell = Doorbell()
    private let thread = Locked<SystemThread?>(nil)
    private let latest = Locked<(figures: InstallationFigures, at: MonotonicTime)?>(nil)

    /// How often open workflows are counted while a namespace has a limit of them.
    static let countingInterval = Duration.seconds(1)
    /// How often everything is read, in nanoseconds.
    static let interval: Int64 = 10_000_000_000
    /// Figures that are older are not shown any more, in nanoseconds.
    static let oldest: Int64 = 60_000_000_000

    init(url: String, admission: CallAdmission, namespaces: any NamespaceRegistry, log: Logger) {
        self.url = url
        self.admission = admission
        self.namespaces = namespaces
        self.log = log
    }

    /// The figures, if they are not too old to be true.
    var figures: InstallationFigures? {
        latest.withLock { latest in
            guard let latest, MonotonicTime.now.nanoseconds - latest.at.nanoseconds < Self.oldest else { return nil }
            return latest.figures
        }
    }

    func start() { thread.withLock { $0 = SystemThread.required("figures") { [self] in run() } } }

    /// Ends the thread, and returns when it has ended.
    func stop() {
        bell.stop()
        let running = thread.withLock { thread in
            defer { thread = nil }
            return thread
        }
        running?.join()
    }

    private func run() {
        var backoff = Backoff(longest: .seconds(10))
        while !bell.isStopped {
            do throws(PostgresError) {
                let source = try PostgresFigures(url: url)
                defer { source.close() }
                try watch(source, &backoff)
            } catch {
                log.debug("the database's figures cannot be read, retrying", metadata: ["error": "\(error)"])
                bell.wait(backoff.next())
            }
        }
    }

    private func watch(_ source: PostgresFigures, _ backoff: inout Backoff) throws(PostgresError) {
        var readAt: MonotonicTime?
        while !bell.isStopped {
            let isDue = readAt.map { $0.advanced(byNanoseconds: Self.interval) <= .now } ?? true
            if isDue {
                let figures = try source.read()
                readAt = .now
                latest.withLock { $0 = (figures, .now) }
            }
            if isCounting { tell(try source.openWorkflows()) }
            backoff.reset()
            bell.wait(Self.countingInterval)
        }
    }

    private var isCounting: Bool {
        let limits = admission.limits
        return limits.namespace.runningWorkflows > 0 || limits.namespaces.values.contains { $0.runningWorkflows > 0 }
    }

    private func tell(_ counts: [Int32: Int64]) {
        for record in namespaces.list() { admission.counted(Int(counts[record.number] ?? 0), in: record.name) }
    }
}

extension FiguresWatch {
    /// Adds what the database says to the metrics.
    func register(in registry: MetricsRegistry) {
        let name: @Sendable (Int32) -> String = { [namespaces] number in
            namespaces.namespace(numbered: number)?.name ?? "\(number)"
        }
        ask(registry, "sagamore_open_workflows", "Open workflows, by namespace.", labels: ["namespace"]) { figures in
            figures.openWorkflows.map { ([name($0.key)], Double($0.value)) }
        }
        let compensating = "Sagas that are being compensated, by namespace."
        ask(registry, "sagamore_sagas_compensating", compensating, labels: ["namespace"]) { figures in
            figures.compensatingSagas.map { ([name($0.key)], Double($0.value)) }
        }
        let uncompensated = "Sagas that have failed to compensate and are still kept, by namespace."
        ask(registry, "sagamore_sagas_compensation_failed", uncompensated, labels: ["namespace"]) { figures in
            figures.uncompensatedSagas.map { ([name($0.key)], Double($0.value)) }
        }
        ask(registry, "sagamore_parked_workflows", "Runs that are out of memory until something is due.") { figures in
            [([], Double(figures.parkedRuns))]
        }
        let queue = ["namespace", "task_queue", "kind"]
        ask(registry, "sagamore_task_queue_backlog", "Tasks in the database, by task queue.", labels: queue) {
            figures in
            figures.backlogs.map { (Self.labels($0.queue, name), Double($0.tasks)) }
        }
        ask(registry, "sagamore_task_queue_age_seconds", "Age of the oldest of them.", labels: queue) { figures in
            let now = SystemClock.now().nanoseconds
            return figures.backlogs.map { (Self.labels($0.queue, name), max(0, Double(now - $0.oldest) / 1e9)) }
        }
        let unpublished = "Records that are not known to be on their topics yet, by shard."
        ask(registry, "sagamore_outbox_records", unpublished, labels: ["shard"]) { figures in
            figures.unpublished.map { (["\($0.key)"], Double($0.value)) }
        }
        ask(registry, "sagamore_dead_events", "Events that a broker refuses for good, in the table dead_events.") {
            [([], Double($0.deadEvents))]
        }
        ask(registry, "sagamore_lease_seconds", "For how long a shard's lease is good.", labels: ["shard", "node"]) {
            $0.leases.map { (["\($0.shard)", $0.node], $0.secondsLeft) }
        }
        ask(registry, "sagamore_database_bytes", "Size of the database.") { [([], Double($0.databaseBytes))] }
        ask(registry, "sagamore_database_oldest_transaction_seconds", "Age of the oldest open transaction.") {
            [([], $0.oldestTransaction)]
        }
        ask(registry, "sagamore_database_sessions", "Sessions of the database server.") {
            [([], Double($0.sessions.open))]
        }
        ask(registry, "sagamore_database_sessions_limit", "The most sessions that the database server takes.") {
            [([], Double($0.sessions.limit))]
        }
    }

    private static func labels(_ queue: TaskQueueKey, _ name: (Int32) -> String) -> [String] {
        [name(queue.namespace), queue.name, queue.kind == .workflow ? "workflow" : "activity"]
    }

    private func ask(
        _ registry: MetricsRegistry,
        _ name: String,
        _ help: String,
        labels: [String] = [],
        _ values: @escaping @Sendable (InstallationFigures) -> [(labels: [String], value: Double)]
    ) {
        registry.ask(name, help, labels: labels) { [weak self] in self?.figures.map(values) ?? [] }
    }
}
