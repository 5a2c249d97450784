internal import SagamoreKafkaClient
internal import SagamoreLogging
internal import SagamorePersistence
internal import SagamoreThreads

/// Publishes a shard's outbox on a thread of its own, as long as this process owns the shard.
final class ShardPublisher: Sendable {
    private let bell = Doorbell()
    private let thread = Locked<SystemThread?>(nil)
    private let shard: Int32
    private let makeLoop: @Sendable (Doorbell) -> PublisherLoop

    init(
        shard: Int32,
        settings: PublisherSettings,
        admin: KafkaAdmin,
        makeStore: @escaping @Sendable () throws -> any OutboxStore,
        reachability: Reachability,
        log: Logger
    ) {
        self.shard = shard
        makeLoop = { bell in
            PublisherLoop(
                shard: shard,
                settings: settings,
                admin: admin,
                makeStore: makeStore,
                bell: bell,
                reachability: reachability,
                log: log
            )
        }
    }

    func start() {
        let (bell, makeLoop) = (bell, makeLoop)
        thread.withLock { $0 = SystemThread.required("publisher-\(shard)") { makeLoop(bell).run() } }
    }

    /// Says that there is something to publish. Cheap, from any thread.
    func ring() { bell.ring() }

    /// Asks the thread to end.
    func askToStop() { bell.stop() }

    /// Ends the thread and waits for it.
    func stop() {
        bell.stop()
        thread.withLock { thread in
            thread?.join()
            thread = nil
        }
    }
}

/// The main loop of a publisher's thread. Only that thread uses it.
final class PublisherLoop {
    private let shard: Int32
    private let settings: PublisherSettings
    private let admin: KafkaAdmin
    private let makeStore: @Sendable () throws -> any OutboxStore
    private let bell: Doorbell
    private let reachability: Reachability
    private let log: Logger

    private var store: (any OutboxStore)?
    private var session: PublisherSession?
    private var progress = PublisherProgress()
    private var backoff = Backoff(first: .milliseconds(50), longest: .seconds(5))
    private var isStoreLost = false
    private var nextCleaning = ContinuousClock.now

    init(
        shard: Int32,
        settings: PublisherSettings,
        admin: KafkaAdmin,
        makeStore: @escaping @Sendable () throws -> any OutboxStore,
        bell: Doorbell,
        reachability: Reachability,
        log: Logger
    ) {
        self.shard = shard
        self.settings = settings
        self.admin = admin
        self.makeStore = makeStore
        self.bell = bell
        self.reachability = reachability
        self.log = log
    }

    func run() {
        while !bell.isStopped {
            do throws(PublisherError) {
                try step()
            } catch {
                handle(error)
            }
        }
        do throws(PublisherError) { try session?.clean() } catch {
            log.debug("the last positions were not recorded", metadata: ["shard": "\(shard)"])
        }
    }

    private func step() throws(PublisherError) {
        guard let store = openStore() else { return pause() }
        guard let session = try openSession(store) else {
            bell.wait(.milliseconds(250))
            return
        }
        let hasMore = try session.publishOnce()
        progress = session.progress
        backoff.reset()
        storeIsBack()
        let now = ContinuousClock.now
        if now >= nextCleaning {
            nextCleaning = now + settings.cleaningInterval
            try session.clean()
        }
        if !hasMore { bell.wait(min(session.sleepLimit, max(nextCleaning - .now, .milliseconds(1)))) }
    }

    private func openStore() -> (any OutboxStore)? {
        if let store { return store }
        do {
            store = try makeStore()
            storeIsBack()
        } catch {
            storeIsLost("\(error)")
        }
        return store
    }

    /// Nil when another process owns the shard.
    private func openSession(_ store: any OutboxStore) throws(PublisherError) -> PublisherSession? {
        if let session { return session }
        let standing: ShardStanding
        do throws(CommitError) { standing = try store.standing(of: shard) } catch { throw .store(error) }
        guard standing.isOwned else { return nil }
        let session = try PublisherSession(
            shard: shard,
            settings: settings,
            store: store,
            admin: admin,
            bell: bell,
            reachability: reachability,
            progress: progress,
            log: log
        )
        self.session = session
        return session
    }

    private func handle(_ error: PublisherError) {
        if let session { progress = session.progress }
        let about = ["shard": "\(shard)"]
        switch error {
        case .stopped: break
        case .store(let error):
            storeIsLost("\(error)")
            pause()
            do throws(CommitError) { try store?.reconnect() } catch { log.debug("no connection: \(error)") }
        case .notOwned:
            session = nil
        case .fenced(let error):
            session = nil
            log.warning(
                "the broker has fenced this producer, checking who owns the shard",
                metadata: about.merging(["error": error.description]) { $1 }
            )
            pause()
        case .unanswered(let error):
            session = nil
            log.info(
                "Kafka did not answer within a transaction, a new producer ends it and reads the cursor",
                metadata: about.merging(["error": error.description]) { $1 }
            )
            pause()
        case .kafka(let error):
            session = nil
            if error.isRetriable || error.isUnreachable || error.isTimeout {
                reachability.lost(error.description)
            } else {
                log.error(
                    "cannot publish events, retrying",
                    metadata: about.merging(["error": error.description]) { $1 }
                )
            }
            pause()
        case .inconsistent(let reason):
            session = nil
            log.critical(
                "PUBLISHING HAS STOPPED for this shard: fix the cause, then restart the server",
                metadata: about.merging(["reason": reason]) { $1 }
            )
            while !bell.isStopped { bell.wait(.seconds(60)) }
        }
    }

    private func storeIsLost(_ reason: String) {
        guard !isStoreLost else { return }
        isStoreLost = true
        log.warning(
            "cannot read the outbox, retrying",
            metadata: ["shard": "\(shard)", "error": reason]
        )
    }

    private func storeIsBack() {
        guard isStoreLost else { return }
        isStoreLost = false
        log.info("the outbox can be read again", metadata: ["shard": "\(shard)"])
    }

    private func pause() {
        let end = ContinuousClock.now + backoff.next()
        while .now < end, !bell.isStopped { SystemThread.sleep(min(end - .now, .milliseconds(50))) }
    }
}
