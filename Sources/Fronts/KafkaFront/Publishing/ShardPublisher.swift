internal import SagamoreKafkaClient
internal import SagamoreLogging
internal import SagamorePersistence
internal import SagamoreThreads

/// Publishes a shard's outbox in a loop of its own, as long as this process owns the shard.
final class ShardPublisher: Sendable {
    private let context: PublisherContext
    private let makeStore: @Sendable () throws -> any OutboxStore

    init(
        shard: Int32,
        settings: PublisherSettings,
        admin: any ClusterAdmin,
        makeStore: @escaping @Sendable () throws -> any OutboxStore,
        reachability: Reachability,
        environment: FrontEnvironment = .system,
        log: Logger
    ) {
        self.makeStore = makeStore
        context = PublisherContext(
            shard: shard,
            settings: settings,
            admin: admin,
            environment: environment,
            loop: environment.loops.loop(.publisher(shard)),
            reachability: reachability,
            log: log
        )
    }

    func start() {
        context.loop.start { [context, makeStore] in
            let publisher = PublisherLoop(context, makeStore: makeStore)
            return { publisher.step() }
        }
    }

    /// Says that there is something to publish. Cheap, from any thread.
    func ring() { context.loop.ring() }

    /// Asks the loop to end.
    func askToStop() { context.loop.stop() }

    /// Ends the loop and waits for it.
    func stop() {
        context.loop.stop()
        context.loop.join()
    }
}

/// The steps of a publisher. Only its loop uses it.
final class PublisherLoop {
    private enum State {
        /// Can transition to: `opening`, `ended`.
        case closed
        /// Can transition to: `open`, `closed`, `ended`.
        case opening(SessionOpening)
        /// Can transition to: `closed`, `halted`, `ended`.
        case open(PublisherSession)
        /// Nothing may be published any more. Can transition to: `ended`.
        case halted
        /// Final.
        case ended
    }

    private let context: PublisherContext
    private let makeStore: @Sendable () throws -> any OutboxStore

    private var state = State.closed
    private var store: (any OutboxStore)?
    private var progress = PublisherProgress()
    private var backoff = Backoff(first: .milliseconds(50), longest: .seconds(5))
    private var isStoreLost = false
    /// The store has failed. It is reconnected after the pause.
    private var isDisconnected = false
    private var pauseEnd: ContinuousClock.Instant?
    private var nextCleaning: ContinuousClock.Instant

    private var shard: Int32 { context.shard }
    private var log: Logger { context.log }

    init(_ context: PublisherContext, makeStore: @escaping @Sendable () throws -> any OutboxStore) {
        self.context = context
        self.makeStore = makeStore
        nextCleaning = context.now
    }

    /// Makes a few calls to Kafka or the database. Does not sleep.
    ///
    /// - Returns: when the next step is due; nil after the last one.
    func step() -> Wake? {
        if let pauseEnd, pauseEnd > context.now, !context.isStopped { return .at(pauseEnd) }
        let wake: Wake?
        do throws(PublisherError) {
            wake = try proceed()
        } catch {
            wake = handle(error)
        }
        pauseEnd = if case .at(let end)? = wake { end } else { nil }
        return wake
    }

    private func proceed() throws(PublisherError) -> Wake? {
        if isDisconnected {
            isDisconnected = false
            do throws(CommitError) { try store?.reconnect() } catch { log.debug("no connection: \(error)") }
        }
        switch state {
        case .closed:
            if context.isStopped { return end() }
            guard let store = openStore() else { return pause() }
            guard try isOwned(store) else { return .ring(orAt: context.now + .milliseconds(250)) }
            state = .opening(try SessionOpening(context))
            return .now
        case .opening(var opening):
            guard let store else { preconditionFailure("a session is opened with a store") }
            let session = try opening.step(store, progress)
            state = session.map(State.open) ?? .opening(opening)
            return .now
        case .open(let session): return try proceed(session)
        case .halted: return context.isStopped ? end() : .ring(orAt: context.now + .seconds(60))
        case .ended: return nil
        }
    }

    private func proceed(_ session: PublisherSession) throws(PublisherError) -> Wake? {
        if !session.isInRound {
            if context.isStopped { return end() }
            session.beginRound()
        }
        let wake = try session.step()
        if session.isInRound { return wake }
        progress = session.progress
        backoff.reset()
        storeIsBack()
        let now = context.now
        if now >= nextCleaning {
            nextCleaning = now + context.settings.cleaningInterval
            try session.clean()
        }
        if session.hasMore { return .now }
        let later = context.now
        return .ring(orAt: later + min(session.restLimit, max(nextCleaning - later, .milliseconds(1))))
    }

    private func end() -> Wake? {
        if case .open(let session) = state {
            do throws(PublisherError) { try session.clean() } catch {
                log.debug("the last positions were not recorded", metadata: ["shard": "\(shard)"])
            }
        }
        state = .ended
        return nil
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

    /// False when another process owns the shard.
    private func isOwned(_ store: any OutboxStore) throws(PublisherError) -> Bool {
        do throws(CommitError) { return try store.standing(of: shard).isOwned } catch { throw .store(error) }
    }

    private func handle(_ error: PublisherError) -> Wake? {
        let session: PublisherSession? = if case .open(let session) = state { session } else { nil }
        if let session { progress = session.progress }
        let about: Logger.Metadata = ["shard": "\(shard)"]
        state = .closed
        switch error {
        case .stopped:
            if let session { state = .open(session) }
            return end()
        case .store(let error):
            storeIsLost("\(error)")
            isDisconnected = true
            guard let session else { break }
            session.connectionWasLost()
            state = .open(session)
        case .notOwned: return .now
        case .fenced(let error):
            log.warning(
                "the broker has fenced this producer, checking who owns the shard",
                metadata: about.merging(["error": "\(error)"]) { $1 }
            )
        case .unanswered(let error):
            log.info(
                "Kafka did not answer within a transaction, a new producer ends it and reads the cursor",
                metadata: about.merging(["error": "\(error)"]) { $1 }
            )
        case .kafka(let error):
            if error.isRetriable || error.isUnreachable || error.isTimeout {
                context.reachability.lost(error.description)
            } else {
                log.error(
                    "cannot publish events, retrying",
                    metadata: about.merging(["error": "\(error)"]) { $1 }
                )
            }
        case .inconsistent(let reason):
            log.critical(
                "PUBLISHING HAS STOPPED for this shard: fix the cause, then restart the server",
                metadata: about.merging(["reason": "\(reason)"]) { $1 }
            )
            context.environment.metrics.halted(shard: shard)
            state = .halted
            return .now
        }
        return pause()
    }

    private func storeIsLost(_ reason: String) {
        guard !isStoreLost else { return }
        isStoreLost = true
        log.warning(
            "cannot read the outbox, retrying",
            metadata: ["shard": "\(shard)", "error": "\(reason)"]
        )
    }

    private func storeIsBack() {
        guard isStoreLost else { return }
        isStoreLost = false
        log.info("the outbox can be read again", metadata: ["shard": "\(shard)"])
    }

    private func pause() -> Wake { .at(context.now + backoff.next(context.environment.chance)) }
}
