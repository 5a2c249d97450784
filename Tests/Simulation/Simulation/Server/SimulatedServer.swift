public import SagamoreEngine
public import SagamoreHistoryService
public import SagamoreLogging
package import SagamoreMatchingService
internal import SagamorePersistence
public import SagamoreServices
public import SagamoreSimulatedTime
public import SagamoreSimulatedWorkers

/// A server of the simulated world: History and Matching in one process, which can be started, stopped, killed and
/// paused.
///
/// Unchecked: the whole world runs in one thread.
public final class SimulatedServer: @unchecked Sendable {
    /// Where a server is between its starts.
    public enum State: Sendable, Equatable {
        /// No process.
        case down
        /// The process has begun, and waits for the database.
        case starting
        /// Requests are accepted as soon as shards are owned.
        case running
        /// A clean stop is under way.
        case stopping
    }

    /// The wall clock at the beginning of the world: 2026-01-01T00:00:00Z.
    public static let epoch = Instant(nanoseconds: 1_767_225_600_000_000_000)

    /// The process. Use `kill()` and `pause(for:)` of the server.
    public let process: SimulatedProcess
    /// What is the server doing?
    public private(set) var state = State.down
    /// How often it was started.
    public private(set) var startCount = 0
    /// Changes the configuration of the next start.
    public var configure: (inout HistoryConfiguration) -> Void = { _ in }
    /// How much a task queue holds in memory after the next start.
    package var queueRoom = QueueRoom.usual
    /// Where the services log to. By default nowhere.
    public var log: Logger = {
        var log = Logger(label: "server", handler: LogHandler(format: .text, destination: .lines { _ in }))
        log.logLevel = .critical
        return log
    }()
    /// A defect of the server's own code. Set before a start.
    public var defect: PlantedDefect?
    /// Called when the services can be reached, and when they cannot any more.
    public var onChange: () -> Void = {}
    /// Called after a shard was lost: the server ends now, and the world may start it again.
    public var onExit: (ShardLoss) -> Void = { _ in }
    /// Called when the process has ended, however it did.
    public var onEnd: () -> Void = {}
    /// Called after each commit with outbox records of a shard.
    public var onOutboxGrowth: (Int32) -> Void = { _ in }
    /// Called when the number of shards has changed.
    public var onSlicesMoved: (Int) -> Void = { _ in }

    /// Told what must not be.
    var onFinding: (Violation) -> Void = { _ in }
    /// Told which bound of its work was met.
    var onReached: (String) -> Void = { _ in }

    /// How it reads commands and publishes events; nil for a server without Kafka. Set before a start.
    var kafka: ServerKafka?

    private let scheduler: Scheduler
    private let stores: ServerStores
    private let encoder: any StatusEventEncoder
    private let blocking: BlockingCalls
    private var life: ServerLife?
    private var front: ServerFront?

    /// How long a start waits for a database that is away.
    private static let startPause = Interval.milliseconds(500)

    /// A server that is down.
    ///
    /// - Parameters:
    ///   - name: of the node, the same at each start.
    ///   - blocking: shared by the servers of a world.
    public init(
        _ scheduler: Scheduler,
        name: String,
        stores: ServerStores,
        encoder: any StatusEventEncoder,
        blocking: BlockingCalls = BlockingCalls()
    ) {
        self.scheduler = scheduler
        self.stores = stores
        self.encoder = encoder
        self.blocking = blocking
        process = SimulatedProcess(name)
    }

    // MARK: What others see

    /// The services as others reach them; nil while there are none. Answers of a process that was killed never come.
    public private(set) var reachable: ReachableService? {
        didSet { onChange() }
    }

    /// Whether every shard is owned and its runs are loaded.
    public var isReady: Bool { state == .running && life?.history.isReady == true }

    /// The shard of a workflow, as the running service knows it.
    public func shard(of key: WorkflowKey) -> Int? { state == .running ? life?.history.shard(of: key) : nil }

    /// The service itself, for checks; nil while there is none.
    public var history: HistoryService? { state == .running || state == .stopping ? life?.history : nil }

    /// The name under which its newest process owns shards.
    var ownerName: String { "\(process.name)-\(startCount)" }

    /// The tasks that wait in Matching.
    var heldTasks: [MatchingTask] { state == .running ? life?.matching.heldTasks ?? [] : [] }

    /// How many tasks of Matching wait for their next attempt.
    var postponedTasks: Int { state == .running ? life?.matching.postponedCount ?? 0 : 0 }

    /// The wall clock of the process.
    public var wallClock: Instant { Self.epoch + (scheduler.now - Instant(nanoseconds: 0)) + process.clockOffset }

    // MARK: What happens to it

    /// Starts a process with a new name. Nothing, if there is one.
    public func start() {
        guard state == .down else { return }
        state = .starting
        startCount += 1
        let life = ServerLife(scheduler, process, blocking)
        self.life = life
        scheduler.schedule("start", of: process) { [self] in begin(life) }
    }

    private func begin(_ life: ServerLife) {
        do {
            let slices = try stores.makeLoaderStore().sliceTable()
            var configuration = HistoryConfiguration(slices: slices, node: process.name)
            configure(&configuration)
            let work = WorkCheck(
                configuration.bounds,
                taskQueueLimit: queueRoom.tasks,
                report: onFinding,
                reached: onReached
            )
            defect?.loosen(&configuration.bounds)
            life.start(
                configuration,
                name: ownerName,
                stores: stores,
                encoder: encoder,
                log: log,
                defect: defect,
                queueRoom: queueRoom,
                work: work,
                connect: { connect($0, life) }
            )
        } catch {
            if self.life === life {
                scheduler.schedule("start", of: process, after: Self.startPause) { [self] in begin(life) }
            }
            return
        }
        // Others made steps meanwhile: one may have killed the process.
        guard self.life === life else { return }
        state = .running
        startFront(life)
        guard self.life === life else { return }
        reachable = ReachableService(
            history: ReachedHistory(life),
            matching: ReachedMatching(life),
            clock: { [self] in wallClock }
        )
    }

    private func connect(_ history: HistoryService, _ life: ServerLife) {
        history.onOutboxGrowth { [weak self] shard in
            self?.tell(life) { server in
                server.front?.front.outboxGrew(shard)
                server.onOutboxGrowth(shard)
            }
        }
        history.onSlicesMoved { [weak self] count in
            self?.tell(life) { server in
                server.front?.front.shardCountChanged(count)
                server.onSlicesMoved(count)
            }
        }
        history.onShardLost { [weak self] _, loss in
            self?.tell(life) { server in
                server.front?.front.ownershipChanged(ownsShards: false)
                server.scheduler.schedule("exit", of: server.process) {
                    server.stop { server.onExit(loss) }
                }
            }
        }
    }

    private func tell(_ life: ServerLife, _ body: (SimulatedServer) -> Void) {
        if self.life === life, !life.isDead { body(self) }
    }

    /// Commits what is queued, releases the shards, and ends the process.
    ///
    /// - Parameter then: called when the process has ended; not if it is killed before.
    public func stop(then: @escaping @Sendable () -> Void = {}) {
        switch state {
        case .down, .stopping: return
        case .starting:
            kill()
            then()
        case .running:
            guard let life else { return }
            state = .stopping
            reachable = nil
            guard let front else { return stop(life, then: then) }
            scheduler.schedule("leave Kafka", of: process) { [self] in
                front.front.stop()
                if self.life === life { stop(life, then: then) }
            }
        }
    }

    private func stop(_ life: ServerLife, then: @escaping @Sendable () -> Void) {
        life.stop { [self] in
            // A step of its own: this one is a step of the services.
            scheduler.schedule("end", of: process) { [self] in
                guard self.life === life else { return }
                kill()
                then()
            }
        }
    }

    // MARK: Kafka

    private func startFront(_ life: ServerLife) {
        guard let kafka else { return }
        let front = kafka.makeFront(
            life,
            name: ownerName,
            shard: { [weak self] in self?.shard(of: $0) ?? 0 },
            clock: { [weak self] in self?.wallClock ?? Self.epoch },
            log: log
        )
        self.front = front
        front.front.start()
        awaitShards(life)
    }

    /// Tells the front when all shards are owned.
    private func awaitShards(_ life: ServerLife) {
        scheduler.schedule("await shards", of: process, after: .milliseconds(50)) { [self] in
            guard self.life === life, state == .running else { return }
            guard life.history.isReady else { return awaitShards(life) }
            front?.front.ownershipChanged(ownsShards: true)
        }
    }

    /// Ends the process at once. What it had under way has no effect, except what the database did already.
    public func kill() {
        guard let life else { return }
        self.life = nil
        process.kill()
        state = .down
        life.die()
        front?.host.discard()
        front = nil
        onEnd()
        if reachable != nil { reachable = nil }
    }

    /// Lets every run leave memory that may.
    func pushRunsOut() {
        guard state == .running, let life, !life.isDelayed else { return }
        life.within { life.history.pushRunsOut() }
    }

    /// Stops the process for a while, as a virtual machine can be stopped.
    public func pause(for length: Interval) {
        guard state != .down else { return }
        process.pause(until: scheduler.now + length)
    }
}
