internal import CSagamoreRdKafka

/// What other threads ask of a consumer's thread. Nothing here waits; one entry per partition bounds it.
final class ConsumerMailbox: Sendable {
    struct Mail: Sendable {
        /// True: paused, false: resumed. The last wish counts.
        var pauses: [KafkaPartition: Bool] = [:]
        var offsets: [KafkaPartition: Int64] = [:]
        var isClosing = false
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
        mail.withLock { $0.offsets.merge(offsets) { max($0, $1) } }
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
    func takeOffsets() -> [KafkaPartition: Int64] {
        mail.withLock { mail in
            defer { mail.offsets = [:] }
            return mail.offsets
        }
    }
}
