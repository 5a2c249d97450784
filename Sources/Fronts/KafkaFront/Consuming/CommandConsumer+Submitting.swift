internal import SagamoreServices
internal import Synchronization

/// The submitter's loop: the only one that hands records to history.
extension CommandConsumer {
    /// The most records of a partition that are submitted before the next partition has its turn.
    private static let turn = 64

    /// Replaces a consumer that has failed, and submits what there is room for.
    ///
    /// - Returns: when the next step is due; nil after the last one.
    func submitterStep() -> Wake? {
        guard !submitter.isStopped else { return nil }
        replaceBrokenConsumer()
        let retryAt = submitWaiting()
        let latest = environment.now() + .seconds(1)
        return .ring(orAt: min(retryAt ?? latest, latest))
    }

    /// Submits records until the windows are full or none waits.
    ///
    /// - Returns: when the first stalled partition is due; nil when none is.
    @discardableResult
    func submitWaiting() -> ContinuousClock.Instant? {
        var retryAt: ContinuousClock.Instant?
        var partitions = partitionsInTurn()
        while !partitions.isEmpty {
            let now = environment.now()
            partitions.removeAll { partition in
                // Where each was admitted: a slice may move to another shard before its record is answered.
                var shards: [Int] = []
                let (submissions, due) = partition.state.withLock { state in
                    guard !state.isRevoked else { return ([CommandPartition.Submission](), nil as Time?) }
                    let submissions = state.flow.submit(
                        atMost: Self.turn,
                        at: now,
                        admit: { item, weight in
                            let shard = self.shard(item.key)
                            guard window.withLock({ $0.admit(weight, to: shard) }) else { return false }
                            shards.append(shard)
                            return true
                        }
                    )
                    return (submissions, state.flow.retryAt)
                }
                for (submission, shard) in zip(submissions, shards) {
                    submit(submission, of: partition, to: shard)
                }
                // A retry that is due and found no room is tried again when there is some.
                if let due, due > now { retryAt = min(retryAt ?? due, due) }
                if !submissions.isEmpty { turnsTaken.add(1, ordering: .relaxed) }
                return submissions.count < Self.turn
            }
        }
        return retryAt
    }

    private typealias Time = ContinuousClock.Instant

    /// All partitions, starting after the one that had the last turn.
    private func partitionsInTurn() -> [CommandPartition] {
        let all = partitions.withLock { $0.inOrder }
        guard !all.isEmpty else { return [] }
        let first = turnsTaken.load(ordering: .relaxed) % all.count
        return Array(all[first...] + all[..<first])
    }

    private func submit(_ submission: CommandPartition.Submission, of partition: CommandPartition, to shard: Int) {
        let (offset, weight) = (submission.offset, submission.weight)
        let sentAt = submission.item.sentAt
        let reply = Reply<CommandOutcome> { [weak self] outcome in
            if case .success = outcome, let sentAt { self?.noteStored(sentAt) }
            self?.answered(offset, of: partition, outcome)
            self?.release(weight, of: shard)
        }
        switch submission.item {
        case .command(let command, _): history.submit(command, reply: reply)
        case .letter(let source, let letter): history.deadLetter(source, letter, reply: reply)
        }
    }

    /// A record of any partition was answered: its place in the window is free.
    private func release(_ weight: Int, of shard: Int) {
        if window.withLock({ $0.release(weight, of: shard) }) { submitter.ring() }
    }
}
