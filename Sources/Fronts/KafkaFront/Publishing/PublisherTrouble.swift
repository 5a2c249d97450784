internal import SagamoreKafkaClient
internal import SagamorePersistence

/// Why a publisher can't go on as it is.
enum PublisherTrouble: Error {
    /// The database; the producer is still good.
    case store(CommitError)
    /// The broker or the producer: a new producer is needed, which looks where the old one got to.
    case kafka(KafkaError)
    /// A call within a transaction was not answered and may still take effect. A new producer ends the transaction, and
    /// the cursor says whether it was committed.
    case unanswered(KafkaError)
    /// Another producer has the shard's transactional id: this one is over.
    case replaced(KafkaError)
    /// Another process owns the shard.
    case notOwned
    /// What is on the broker and what is in the database do not belong together: nothing may be published.
    case refused(String)
    case stopped
}

extension PublisherTrouble {
    /// Sorts an error after which the producer can't be used any more.
    init(_ error: KafkaError) {
        self =
            if error.isFenced {
                .replaced(error)
            } else if error.isTimeout || error.isUnreachable {
                .unanswered(error)
            } else {
                .kafka(error)
            }
    }
}
