internal import CSagamoreRdKafka
internal import SagamoreThreads

/// Requests of other threads to a consumer's thread. Calls never block; there is at most one entry per partition.
final class ConsumerMailbox: Sendable {
    struct Mail: Sendable {
        /// True: pause, false: resume. The last request counts.
        var pauses: [KafkaPartition: Bool] = [:]
        var offsets = Offsets()
        /// At most one of each kind is waiting.
        var answers: [BrokerQueries.Answer] = []
        var isClosing = false
    }

    /// Changes of the offsets to commit.
    struct Offsets: Sendable {
        /// Partitions whose offsets started over: earlier commits are forgotten before `next` is applied.
        var restarted: Set<KafkaPartition> = []
        /// The next offsets to read.
        var next: [KafkaPartition: Int64] = [:]
    }

    private let mail = Locked(Mail())

    /// Adds a request. Returns true when no other one was pending, so that the thread must be woken.
    func pause(_ partitions: some Sequence<KafkaPartition>, _ isPaused: Bool) -> Bool {
        mail.withLock { mail in
            let wasEmpty = mail.pauses.isEmpty
            for partition in partitions { mail.pauses[partition] = isPaused }
            return wasEmpty
        }
    }

    func commit(_ offsets: [KafkaPartition: Int64]) {
        mail.withLock { $0.offsets.next.merge(offsets) { max($0, $1) } }
    }

    /// Also drops pending offsets of these partitions.
    func forgetOffsets(of partitions: some Sequence<KafkaPartition>) {
        mail.withLock { mail in
            for partition in partitions {
                mail.offsets.restarted.insert(partition)
                mail.offsets.next[partition] = nil
            }
        }
    }

    func answer(_ answer: BrokerQueries.Answer) {
        mail.withLock { $0.answers.append(answer) }
    }

    func close() {
        mail.withLock { $0.isClosing = true }
    }

    /// Takes everything; only `isClosing` remains.
    func take() -> Mail {
        mail.withLock { mail in
            let taken = mail
            mail = Mail(isClosing: taken.isClosing)
            return taken
        }
    }

    /// Takes only the offsets, before partitions are given up.
    func takeOffsets() -> Offsets {
        mail.withLock { mail in
            defer { mail.offsets = Offsets() }
            return mail.offsets
        }
    }
}
