internal import SagamoreKafkaClient
internal import SagamorePersistence

/// Why a publisher cannot go on as it is.
enum PublisherError: Error {
    /// The database failed; the producer is still usable.
    case store(CommitError)
    /// The broker or the producer failed. A new producer starts from the cursor.
    case kafka(KafkaError)
    /// A call within a transaction was not answered and may still take effect. A new producer ends the transaction, and
    /// the cursor says whether it was committed.
    case unanswered(KafkaError)
    /// The broker has fenced the producer: another one has its transactional id, or its transaction took too long.
    case fenced(KafkaError)
    /// Another process owns the shard.
    case notOwned
    /// The cursor contradicts the database: nothing may be published.
    case inconsistent(String)
    /// The publisher is being stopped.
    case stopped
}

extension PublisherError {
    /// Sorts an error after which the producer must be replaced.
    init(_ error: KafkaError) {
        self =
            if error.isFenced {
                .fenced(error)
            } else if error.isTimeout || error.isUnreachable {
                .unanswered(error)
            } else {
                .kafka(error)
            }
    }
}
