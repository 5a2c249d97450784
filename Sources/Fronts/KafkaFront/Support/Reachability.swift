internal import SagamoreLogging
internal import SagamoreThreads

/// Whether the brokers answer. Logs each change once, whichever part of the front notices it.
final class Reachability: Sendable {
    private let isLost = Locked(false)
    private let bootstrap: String
    private let log: Logger

    init(bootstrap: String, log: Logger) {
        self.bootstrap = bootstrap
        self.log = log
    }

    func lost(_ reason: String) {
        let isNew = isLost.withLock { lost in
            defer { lost = true }
            return !lost
        }
        guard isNew else { return }
        log.warning("Kafka cannot be reached, retrying", metadata: ["bootstrap": "\(bootstrap)", "error": "\(reason)"])
    }

    func found() {
        let wasLost = isLost.withLock { lost in
            defer { lost = false }
            return lost
        }
        if wasLost { log.info("Kafka is reachable again", metadata: ["bootstrap": "\(bootstrap)"]) }
    }
}
