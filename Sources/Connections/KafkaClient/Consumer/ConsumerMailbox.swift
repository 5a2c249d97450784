internal import CSagamoreRdKafka
internal import SagamoreThreads

/// What other threads ask of a consumer's thread. Nothing here waits; one entry per partition bounds it.
final class ConsumerMailbox: Sendable {
    struct Mail: Sendable {
        /// True: paused, false: resumed. The last wish counts.
        var pauses: [KafkaPartition: Bool] = [:]
        var offsets = Offsets()
        var isClosing = false
    }

    /// What is to become of committed offsets.
    struct Offsets: Sendable {
        /// These partitions count anew: what was committed of them before is forgotten, first of all.
        var restarted: Set<KafkaPartition> = []
        /// The next offsets to read.
        var next: [KafkaPartition: Int64] = [:]
    }

    private let mail = Locked(Mail())

    /// Leaves a wish; true when the thread had none of this kind waiting and should be woken.
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

    /// What was wanted of these partitions before is forgotten as well.
    func forgetOffsets(of partitions: some Sequence<KafkaPartition>) {
        mail.withLock { mail in
            for partition in partitions {
                mail.offsets.restarted.insert(partition)
                mail.offsets.next[partition] = nil
            }
        }
    }

    func close() {
        mail.withLock { $0.isClosing = true }
    }

    /// Empties it; only `isClosing` stays.
    func take() -> Mail {
        mail.withLock { mail in
            let taken = mail
            mail = Mail(isClosing: taken.isClosing)
            return taken
        }
    }

    /// Takes only the offsets, for the moment before partitions are given up.
    func takeOffsets() -> Offsets {
        mail.withLock { mail in
            defer { mail.offsets = Offsets() }
            return mail.offsets
        }
    }
}
