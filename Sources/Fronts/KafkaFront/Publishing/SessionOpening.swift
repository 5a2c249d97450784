internal import SagamoreKafkaClient
internal import SagamorePersistence

/// A producer that becomes a session once its transactions are initialized. That fences every other producer of the
/// shard and waits until its transaction has ended. The cursors are final then.
struct SessionOpening {
    private let context: PublisherContext
    private let producer: any TransactionalProducer
    private var isInitialized = false
    private var tries = 0

    init(_ context: PublisherContext) throws(PublisherError) {
        self.context = context
        do throws(KafkaError) {
            producer = try context.environment.clients.producer(
                context.settings.producer,
                transactionalID: context.settings.transactionalID(shard: context.shard)
            )
        } catch {
            throw .kafka(error)
        }
    }

    /// - Parameter progress: of the previous session; empty in the first one.
    /// - Returns: the session; nil when another step is needed.
    mutating func step(
        _ store: any OutboxStore,
        _ progress: PublisherProgress
    ) throws(PublisherError) -> PublisherSession? {
        guard isInitialized else {
            try initTransactions()
            return nil
        }
        let shard = context.shard
        // Every producer checks this after it was fenced, and this one after it has fenced others: the owner stays.
        let standing = try PublisherSession.query { () throws(CommitError) in try store.standing(of: shard) }
        guard standing.isOwned else { throw .notOwned }
        let positions = try PublisherSession.query { () throws(CommitError) in try store.positions(of: shard) }
        var progress = progress
        progress.positions.merge(positions) { max($0, $1) }
        return PublisherSession(context, producer, store, standing: standing, progress: progress)
    }

    private mutating func initTransactions() throws(PublisherError) {
        do throws(KafkaError) {
            try producer.initTransactions(timeout: .seconds(2))
            isInitialized = true
            context.reachability.found()
        } catch {
            if context.isStopped { throw .stopped }
            guard error.isRetriable || error.isTimeout, !error.isFatal else { throw PublisherError(error) }
            // A coordinator that is still loading is no reason to report the broker as unreachable.
            tries += 1
            if tries > 4 { context.reachability.lost(error.description) }
        }
    }
}
