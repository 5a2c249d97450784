internal import SagamoreEngine
internal import SagamoreHistoryService
internal import SagamoreLogging
internal import SagamoreMatchingService
internal import SagamorePersistence
internal import SagamorePostgresClient
internal import SagamoreServices
internal import SagamoreSimulatedTime

/// A server from its start to its end.
///
/// Unchecked: the whole world runs in one thread.
final class ServerLife: @unchecked Sendable {
    let scheduler: Scheduler
    let process: SimulatedProcess
    let blocking: BlockingCalls
    private(set) var isDead = false
    private var services: Services?
    private var schedule = MemberSchedule()
    /// Steps of this life that have begun and not ended: one within a call of a store lets others go on.
    private var depth = 0
    private(set) var work: WorkCheck?

    private struct Services {
        let history: SteppedHistory
        let matching: MatchingService
    }

    init(_ scheduler: Scheduler, _ process: SimulatedProcess, _ blocking: BlockingCalls) {
        self.scheduler = scheduler
        self.process = process
        self.blocking = blocking
    }

    var history: HistoryService { running.history.service }
    var matching: MatchingService { running.matching }
    private var running: Services {
        guard let services else { preconditionFailure("a server is reached that does not run") }
        return services
    }

    // MARK: The beginning and the end

    /// - Parameters:
    ///   - name: of the process, by which it owns shards.
    ///   - connect: sets the callbacks of the service.
    func start(
        _ configuration: HistoryConfiguration,
        name: String,
        stores: ServerStores,
        encoder: any StatusEventEncoder,
        log: Logger,
        defect: PlantedDefect?,
        queueRoom: QueueRoom,
        work: WorkCheck,
        connect: (HistoryService) -> Void
    ) {
        self.work = work
        let wallClock: @Sendable () -> Instant = { [scheduler, process] in
            SimulatedServer.epoch + (scheduler.now - Instant(nanoseconds: 0)) + process.clockOffset
        }
        let afterHold: @Sendable () -> Void = { [weak self, scheduler, process, blocking] in
            if self?.isDead == false { blocking.switchThreads(in: scheduler, while: process) }
        }
        let environment = HistoryEnvironment(
            wallClock: wallClock,
            steadyClock: { [scheduler] in scheduler.now },
            makeRandom: { [scheduler] in
                var chance = scheduler.random.fork()
                return RandomSource(seed: (chance.next() | 1, chance.next(), chance.next(), chance.next()))
            },
            afterHold: { [weak self] work in
                self?.work?.held(work)
                afterHold()
            }
        )
        let history = SteppedHistory(
            configuration: configuration,
            process: name,
            makeLaneStore: { [unowned self] shard in
                try checkLife()
                let store = try stores.makeLaneStore(shard)
                if let defect { return DefectiveLaneStore(store, self, stores, defect) }
                return ReachedLaneStore(store, self, stores)
            },
            makeLoaderStore: { [unowned self] in
                try checkLife()
                let store = try stores.makeLoaderStore()
                if let defect { return DefectiveLoaderStore(store, self, defect) }
                return ReachedLoaderStore(store, self)
            },
            encoder: encoder,
            environment: environment,
            log: log,
            onRing: { [weak self] member in self?.ring(member) }
        )
        let known: any HistoryClient & BacklogStore =
            defect == .stickyTaskNeverGivenUp ? HistoryThatKeepsStickyTasks(self) : history.service
        let matching = MatchingService(
            history: known,
            clock: wallClock,
            log: log,
            room: queueRoom,
            afterHold: afterHold
        )
        history.service.connect(matching: matching)
        history.service.connect(namespaces: OneNamespace())
        services = Services(history: history, matching: matching)
        connect(history.service)
        history.start()
        stepMatching()
    }

    /// Commits what is queued and releases the shards.
    func stop(then: @escaping @Sendable () -> Void) {
        let services = running
        within {
            services.matching.stop()
            // Others may have killed it meanwhile.
            if !isDead { services.history.stop(then: then) }
        }
    }

    /// The process is gone: nothing that is under way has an effect, and nobody is told.
    func die() {
        isDead = true
        discardIfOver()
    }

    private func discardIfOver() {
        guard isDead, depth == 0, let services else { return }
        self.services = nil
        services.matching.stop()
        services.history.discard()
    }

    // MARK: Steps

    private func ring(_ member: SteppedMember) {
        guard !isDead else { return }
        add(schedule.ring(member.number), member)
    }

    private func add(_ addition: MemberSchedule.Addition?, _ member: SteppedMember) {
        switch addition {
        case nil: return
        case .ready?:
            scheduler.schedule(member.label, of: process) { [self] in
                schedule.begin(member.number)
                step(member)
            }
        case .wake(let time)?:
            scheduler.schedule(member.label, of: process, after: time - scheduler.now) { [self] in
                let (isDue, addition) = schedule.wake(member.number, time, at: scheduler.now)
                if isDue { step(member) } else { add(addition, member) }
            }
        }
    }

    private func step(_ member: SteppedMember) {
        let next = within(member.label) { member.step(at: scheduler.now) }
        guard !isDead else { return }
        add(schedule.finish(member.number, next, at: scheduler.now), member)
    }

    private func stepMatching() {
        guard !isDead else { return }
        let pause = within { matching.step() }
        guard !isDead else { return }
        scheduler.schedule("matching", of: process, after: pause) { [self] in stepMatching() }
    }

    func within<Value>(_ label: StaticString = "request", _ body: () -> Value) -> Value {
        depth += 1
        work?.begin(label)
        let value = body()
        work?.end()
        depth -= 1
        discardIfOver()
        return value
    }

    // MARK: Requests

    /// Requests wait while the process is paused.
    var isDelayed: Bool { process.pausedUntil.map { $0 > scheduler.now } ?? false }

    /// A reply by which the caller hears nothing of a process that was killed.
    func guarded<Success: Sendable>(_ reply: Reply<Success>) -> Reply<Success> {
        Reply { [self] outcome in
            if isDead { reply.abandon() } else { reply.answer(outcome) }
        }
    }

    func receive<Success: Sendable>(
        _ reply: Reply<Success>,
        _ request: @escaping (HistoryService, Reply<Success>) -> Void
    ) {
        let guarded = guarded(reply)
        receive { history in request(history, guarded) }
    }

    func receive(_ request: @escaping (HistoryService) -> Void) {
        guard !isDead else { return }
        if isDelayed {
            scheduler.schedule("request", of: process) { [self] in receive(request) }
        } else {
            within { request(history) }
        }
    }

    // MARK: Stores

    /// A call of a store: before and after it is carried out, others may make steps.
    ///
    /// - Parameter lockedUntil: until when the call waits for a lock.
    func call<Value>(
        isLane: Bool = false,
        lockedUntil: () -> Instant? = { nil },
        _ body: () throws(CommitError) -> Value
    ) throws(CommitError) -> Value {
        if isLane { blocking.onLaneCall?(process) }
        blocking.pass(in: scheduler, while: process)
        while !isDead, let until = lockedUntil() {
            // A crash of the database ends the lock, and the call with it.
            guard blocking.pass(until: until, in: scheduler, while: { lockedUntil() != nil }) else { break }
        }
        try checkLife()
        let result: Result<Value, CommitError>
        do throws(CommitError) { result = .success(try body()) } catch { result = .failure(error) }
        blocking.pass(in: scheduler, while: process)
        try checkLife()
        return try result.get()
    }

    /// - Throws: an error that nobody sees, where the process was killed.
    func checkLife() throws(CommitError) {
        if isDead { throw CommitError(PostgresError(.connectionLost, "the process was killed")) }
    }
}
