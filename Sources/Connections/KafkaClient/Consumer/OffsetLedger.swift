/// Which offsets a consumer has to commit, and when. Pure: time comes in as an instant.
///
/// An offset is *wanted* when its owner asked for it, *in flight* while the broker has not answered, and *committed*
/// then. A partition is only written while it is assigned, and its offset never goes back while it is, unless it begins
/// anew.
struct OffsetLedger {
    /// Least time between two commits, in which wishes gather.
    let interval: Duration
    /// Time after which a refused commit is tried again.
    let backoff: Duration

    private(set) var assigned: Set<KafkaPartition> = []
    private var wanted: [KafkaPartition: Int64] = [:]
    private var inFlight: [KafkaPartition: Int64] = [:]
    private var committed: [KafkaPartition: Int64] = [:]
    private var notBefore: ContinuousClock.Instant?
    /// An answer that has not come until then will not come.
    private var answerLimit: ContinuousClock.Instant?

    init(interval: Duration, backoff: Duration) {
        self.interval = interval
        self.backoff = backoff
    }

    mutating func assign(_ partitions: [KafkaPartition]) {
        assigned.formUnion(partitions)
    }

    /// Forgets partitions that belong to somebody else from now on.
    mutating func revoke(_ partitions: [KafkaPartition]) {
        for partition in partitions {
            assigned.remove(partition)
            wanted[partition] = nil
            inFlight[partition] = nil
            committed[partition] = nil
        }
    }

    /// Forgets what it knows of partitions whose offsets began anew, so that lower ones count.
    mutating func restart(_ partitions: Set<KafkaPartition>) {
        let restarted = partitions.filter(assigned.contains)
        revoke(Array(restarted))
        assign(Array(restarted))
    }

    /// Notes offsets to commit. Those of partitions that are not assigned are dropped.
    mutating func want(_ offsets: [KafkaPartition: Int64]) {
        for (partition, offset) in offsets where assigned.contains(partition) {
            guard offset > max(committed[partition] ?? -1, inFlight[partition] ?? -1) else { continue }
            wanted[partition] = max(wanted[partition] ?? -1, offset)
        }
    }

    /// What to commit now; nothing while a commit is unanswered or the interval is not over.
    mutating func take(now: ContinuousClock.Instant) -> [KafkaPartition: Int64] {
        if let answerLimit, now >= answerLimit { answered(inFlight, refused: Set(inFlight.keys), now: now) }
        guard !wanted.isEmpty, inFlight.isEmpty else { return [:] }
        if let notBefore, now < notBefore { return [:] }
        inFlight = wanted
        wanted = [:]
        notBefore = now + interval
        answerLimit = now + max(.seconds(10), interval)
        return inFlight
    }

    /// All that is not known to be committed of `partitions`, for a last commit before they are given up.
    func unsettled(of partitions: [KafkaPartition]) -> [KafkaPartition: Int64] {
        var offsets: [KafkaPartition: Int64] = [:]
        for partition in partitions { offsets[partition] = wanted[partition] ?? inFlight[partition] }
        return offsets
    }

    /// The broker has answered a commit of `offsets`. What was refused is wanted again, and tried after the backoff. An
    /// answer to a commit from before the partitions were given up is none to the one in flight.
    mutating func answered(
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
            }
        }
        if inFlight.isEmpty { answerLimit = nil }
    }
}
