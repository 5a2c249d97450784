/// Which offsets a consumer must commit, and when. Pure: the time is a parameter.
///
/// An offset is *wanted* when it was requested, *in flight* until the broker answers, and *committed* then. Offsets are
/// committed only while their partition is assigned. They never go back meanwhile, unless the partition is restarted.
package struct OffsetLedger {
    /// The minimum time between two commits, in which requests gather.
    package let interval: Duration
    /// The delay before a refused commit is retried.
    package let backoff: Duration

    package private(set) var assigned: Set<KafkaPartition> = []
    private var wanted: [KafkaPartition: Int64] = [:]
    private var inFlight: [KafkaPartition: Int64] = [:]
    private var committed: [KafkaPartition: Int64] = [:]
    /// The offsets that the broker is known to hold for the group. One that it no longer holds was deleted with its
    /// topic.
    private var stored: [KafkaPartition: Int64] = [:]
    private var notBefore: ContinuousClock.Instant?
    /// When an unanswered commit counts as refused.
    private var answerLimit: ContinuousClock.Instant?

    package init(interval: Duration, backoff: Duration) {
        self.interval = interval
        self.backoff = backoff
    }

    package mutating func assign(_ partitions: [KafkaPartition]) {
        assigned.formUnion(partitions)
    }

    /// Forgets partitions that are no longer assigned.
    package mutating func revoke(_ partitions: [KafkaPartition]) {
        for partition in partitions {
            assigned.remove(partition)
            wanted[partition] = nil
            inFlight[partition] = nil
            committed[partition] = nil
            stored[partition] = nil
        }
    }

    /// Notes what the broker holds for partitions that were just assigned.
    package mutating func found(_ offsets: [KafkaPartition: Int64]) {
        for (partition, offset) in offsets where assigned.contains(partition) { stored[partition] = offset }
    }

    /// Partitions whose offsets the broker is known to hold.
    package var verifiable: [KafkaPartition] { Array(stored.keys) }

    /// The partitions whose offsets have disappeared.
    ///
    /// - Parameters:
    ///   - offsets: what the broker holds.
    ///   - asked: the partitions that it was asked for.
    package func missing(from offsets: [KafkaPartition: Int64], of asked: [KafkaPartition]) -> [KafkaPartition] {
        asked.filter { offsets[$0] == nil && stored[$0] != nil }
    }

    /// Forgets the offsets of partitions that started over, so that lower ones are accepted.
    package mutating func restart(_ partitions: Set<KafkaPartition>) {
        let restarted = partitions.filter(assigned.contains)
        revoke(Array(restarted))
        assign(Array(restarted))
    }

    /// Adds offsets to commit. Those of unassigned partitions are ignored.
    package mutating func want(_ offsets: [KafkaPartition: Int64]) {
        for (partition, offset) in offsets where assigned.contains(partition) {
            guard offset > max(committed[partition] ?? -1, inFlight[partition] ?? -1) else { continue }
            wanted[partition] = max(wanted[partition] ?? -1, offset)
        }
    }

    /// Whether `take` returns offsets.
    package mutating func isDue(now: ContinuousClock.Instant) -> Bool {
        if let answerLimit, now >= answerLimit { answered(inFlight, refused: Set(inFlight.keys), now: now) }
        guard !wanted.isEmpty, inFlight.isEmpty else { return false }
        return notBefore.map { now >= $0 } ?? true
    }

    /// Those of `offsets` that are still in flight.
    package func inFlight(_ offsets: [KafkaPartition: Int64]) -> [KafkaPartition: Int64] {
        offsets.filter { inFlight[$0.key] == $0.value }
    }

    /// The offsets to commit now; none while a commit is unanswered or the interval has not elapsed.
    package mutating func take(now: ContinuousClock.Instant) -> [KafkaPartition: Int64] {
        guard isDue(now: now) else { return [:] }
        inFlight = wanted
        wanted = [:]
        notBefore = now + interval
        answerLimit = now + max(.seconds(10), interval)
        return inFlight
    }

    /// Offsets of `partitions` that are not known to be committed, for a last commit before they are given up.
    package func unsettled(of partitions: [KafkaPartition]) -> [KafkaPartition: Int64] {
        var offsets: [KafkaPartition: Int64] = [:]
        for partition in partitions { offsets[partition] = wanted[partition] ?? inFlight[partition] }
        return offsets
    }

    /// Takes the broker's answer to a commit of `offsets`. Refused offsets are wanted again after the backoff. An
    /// answer to a commit from before a revocation does not apply to the one in flight.
    package mutating func answered(
        _ offsets: [KafkaPartition: Int64],
        refused: Set<KafkaPartition>,
        now: ContinuousClock.Instant
    ) {
        for (partition, offset) in offsets where inFlight[partition] == offset {
            inFlight[partition] = nil
            if refused.contains(partition) {
                wanted[partition] = max(wanted[partition] ?? -1, offset)
                notBefore = now + backoff
            } else {
                committed[partition] = offset
                stored[partition] = offset
            }
        }
        if inFlight.isEmpty { answerLimit = nil }
    }
}
