internal import CSagamoreRdKafka
internal import SagamoreThreads

/// Requests of other threads to a consumer's thread. No call blocks. There is at most one entry for each partition.
final class ConsumerMailbox: Sendable {
    struct Contents: Sendable {
        /// True pauses a partition, false resumes it. The last request counts.
        var pauses: [KafkaPartition: Bool] = [:]
        var offsets = Offsets()
        /// At most one of each kind.
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

    private let contents = Locked(Contents())

    /// Adds a request. Returns true when no other one was pending, so that the thread must be woken.
    func pause(_ partitions: some Sequence<KafkaPartition>, _ isPaused: Bool) -> Bool {
        contents.withLock { contents in
            let wasEmpty = contents.pauses.isEmpty
            for partition in partitions { contents.pauses[partition] = isPaused }
            return wasEmpty
        }
    }

    func commit(_ offsets: [KafkaPartition: Int64]) {
        contents.withLock { $0.offsets.next.merge(offsets) { max($0, $1) } }
    }

    /// Also drops pending offsets of these partitions.
    func forgetOffsets(of partitions: some Sequence<KafkaPartition>) {
        contents.withLock { contents in
            for partition in partitions {
                contents.offsets.restarted.insert(partition)
                contents.offsets.next[partition] = nil
            }
        }
    }

    func answer(_ answer: BrokerQueries.Answer) {
        contents.withLock { $0.answers.append(answer) }
    }

    func close() {
        contents.withLock { $0.isClosing = true }
    }

    /// Empties the mailbox. Only `isClosing` stays.
    func drain() -> Contents {
        contents.withLock { contents in
            let drained = contents
            contents = Contents(isClosing: drained.isClosing)
            return drained
        }
    }

    /// Takes only the offsets. Called before partitions are given up.
    func drainOffsets() -> Offsets {
        contents.withLock { contents in
            defer { contents.offsets = Offsets() }
            return contents.offsets
        }
    }
}
