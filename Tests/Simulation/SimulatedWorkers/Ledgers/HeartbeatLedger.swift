internal import SagamoreEngine

/// The details of heartbeats that were acknowledged, and what the next attempts received of them.
struct HeartbeatLedger {
    /// An acknowledged heartbeat.
    private struct Heartbeat {
        let scheduledEventID: Int64
        let attempt: Int32
        /// Its details: a number that grows from one heartbeat of an activity to the next.
        let details: Int
        let sentAt: Instant
        let acknowledgedAt: Instant
    }

    /// How long the service may have heartbeats in memory only; nil when it promises nothing.
    var grace: Interval?
    private var runs: [RunID: [Heartbeat]] = [:]
    private var losses: [Instant] = []

    mutating func memoryWasLost(at now: Instant) { losses.append(now) }

    mutating func forget() { runs = [:] }

    mutating func acknowledged(_ token: ActivityTaskToken, _ details: Int, sentAt: Instant, at now: Instant) {
        guard grace != nil else { return }
        runs[token.runID, default: []].append(
            Heartbeat(
                scheduledEventID: token.scheduledEventID,
                attempt: token.attempt,
                details: details,
                sentAt: sentAt,
                acknowledgedAt: now
            )
        )
    }

    /// The least details that this attempt has to receive; nil when it may receive none.
    func required(by token: ActivityTaskToken) -> Int? {
        guard let grace, let heartbeats = runs[token.runID] else { return nil }
        var most: Int?
        for heartbeat in heartbeats
        where heartbeat.scheduledEventID == token.scheduledEventID && heartbeat.attempt < token.attempt {
            let isExcused = losses.contains {
                $0 >= heartbeat.sentAt && $0.nanoseconds < heartbeat.acknowledgedAt.nanoseconds + grace.nanoseconds
            }
            if !isExcused { most = max(most ?? 0, heartbeat.details) }
        }
        return most
    }
}
