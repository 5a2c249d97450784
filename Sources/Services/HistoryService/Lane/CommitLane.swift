internal import SagamoreEngine
internal import SagamoreLogging
internal import SagamorePersistence
internal import SagamoreThreads

/// A shard's commit lane: the only one that writes to the shard. It carries out what `CommitLaneState` decides, step by
/// step.
final class CommitLane: @unchecked Sendable {
    // Unchecked: used by the one that steps it alone: its thread, or a simulation.
    let shard: Shard
    let log: Logger
    let onOutboxGrowth: @Sendable (Int32) -> Void
    let onUncompensated: @Sendable (SagaOutcome) -> Void
    private let makeStore: @Sendable () throws -> any LaneStore
    private let owner: ShardOwner
    private let mayTake: () -> Bool
    private let onTaken: @Sendable () -> Void
    private let onLost: @Sendable (Int32, ShardLoss) -> Void
    private let onSlicesMoved: @Sendable () -> Void
    private var store: (any LaneStore)?
    private var state = CommitLaneState<LaneItem>()
    private var actions: [LaneAction<LaneItem>] = []
    private var pace = CommitPace()
    private var gathering = Gathering()
    private var random: RandomSource

    private let clock: @Sendable () -> Instant

    /// How far the lane is with the items of its next batch.
    private struct Gathering {
        /// The items that there were when it last looked.
        var count = 0
        /// More may come soon.
        var isPausing = true
    }

    /// - Parameter mayTake: whether this lane may take its shard now: a process takes its first shard first, so that no
    ///   two processes own a part of the shards each.
    init(
        shard: Shard,
        owner: ShardOwner,
        random: RandomSource,
        makeStore: @escaping @Sendable () throws -> any LaneStore,
        mayTake: @escaping () -> Bool,
        onTaken: @escaping @Sendable () -> Void,
        onOutboxGrowth: @escaping @Sendable (Int32) -> Void,
        onUncompensated: @escaping @Sendable (SagaOutcome) -> Void,
        onLost: @escaping @Sendable (Int32, ShardLoss) -> Void,
        onSlicesMoved: @escaping @Sendable () -> Void
    ) {
        self.shard = shard
        self.owner = owner
        self.makeStore = makeStore
        self.mayTake = mayTake
        self.onTaken = onTaken
        self.onOutboxGrowth = onOutboxGrowth
        self.onUncompensated = onUncompensated
        self.onLost = onLost
        self.onSlicesMoved = onSlicesMoved
        self.random = random
        clock = shard.steadyClock
        log = shard.log
        actions = state.begin()
    }

    /// Executes the next actions and reports the outcome to the state. Blocks only in calls of the store.
    ///
    /// - Returns: what to wait for before the next step; nil at the end.
    func step() -> LaneWait? {
        var event: LaneEvent<LaneItem>?
        var wait = LaneWait.nothing
        for action in actions {
            switch action {
            case .wait(let until): wait = .pauseOrStop(until: until)
            case .gather(let until):
                switch gather(until: until) {
                case .items(let items): event = .gathered(items)
                case .notYet(let wait):
                    actions = [action]
                    return wait
                }
            default: event = carryOut(action) ?? event
            }
        }
        if state.hasEnded { return nil }
        if let event {
            let chance = Double(random.next() >> 11) / Double(1 << 53)
            actions = state.handle(event, at: clock(), chance: chance)
        } else {
            // A pause: the next action follows when it is over.
            actions = [.resumeAfterPause]
        }
        return wait
    }

    private func carryOut(_ action: LaneAction<LaneItem>) -> LaneEvent<LaneItem>? {
        switch action {
        case .connect, .take, .retake, .renewLease, .findOutcome: return ask(action)
        case .commit(let items, let known): return commit(items, known)
        case .wait, .gather: preconditionFailure("a lane waits in a step")
        case .resumeAfterPause: return .timePassed(isStopping: shard.lane.isStopped)
        case .own(let taken, let since, let isFirst): own(taken, since, isFirst: isFirst)
        case .extendLease(let since): extendLease(since)
        case .stall(let since): shard.perform { shard.state.ownership.stall(since: since) }
        case .resume: shard.perform { shard.state.ownership.resume() }
        case .release(let items, let records): release(items, outboxRecords: records)
        case .refuse(let items, let refusal): refuse(items, refusal)
        case .finish: shard.lane.finished()
        case .report(let report): tell(report)
        case .drop(let items, let end): drop(items, end)
        case .giveBack(let epoch): if !shard.lane.keepsShard { try? store?.releaseShard(shard.id, epoch: epoch) }
        }
        return nil
    }

    // MARK: The database

    /// Actions that may fail with a `CommitError`.
    private func ask(_ action: LaneAction<LaneItem>) -> LaneEvent<LaneItem>? {
        do {
            guard let store else {
                // The first connection; the store keeps it from then on.
                self.store = try makeStore()
                return .connected
            }
            let since = clock()
            switch action {
            case .connect:
                try store.reconnect()
                return .connected
            case .take:
                guard mayTake() else { return .waitsForFirst }
                let taken = try store.takeShard(shard.id, as: owner)
                // Retried until this lane is told to stop.
                if taken == nil, try haveSlicesMoved(store) { onSlicesMoved() }
                return .taken(taken, since: since)
            case .retake(let epoch):
                if let taken = try store.retakeShard(shard.id, as: owner, epoch: epoch) {
                    return .taken(taken, since: since)
                }
                return .notOurs(epoch: try store.epoch(of: shard.id))
            case .renewLease(let epoch):
                let isRenewed = try store.renewLease(shard.id, as: owner, epoch: epoch)
                return isRenewed ? .renewed(since: since) : .notOurs(epoch: epoch)
            case .findOutcome(let items):
                let batch = BatchBuilder.batch(of: items)
                return .outcome(isCommitted: try isCommitted(batch, store), outboxRecords: batch.outbox.count)
            default:
                return nil
            }
        } catch let error as CommitError {
            return .failed(error)
        } catch {
            return .failed(CommitError(connecting: error))
        }
    }

    /// Whether a batch with an unknown outcome was committed. It is one transaction, so one row tells.
    private func isCommitted(_ batch: CommitBatch, _ store: any LaneStore) throws(CommitError) -> Bool {
        // The last row: a snapshot in the same transaction may have deleted earlier ones.
        if let row = batch.journal.last { return try store.isCommitted(runID: row.runID, sequence: row.sequence) }
        if let row = batch.inbox.first { return try store.isCommitted(row) }
        // Only alarms, which may be written twice.
        return false
    }

    private func commit(_ items: ArraySlice<LaneItem>, _ known: TakenShard) -> LaneEvent<LaneItem> {
        let lost = shard.perform { items.indices.filter { items[$0].isLost } }
        if !lost.isEmpty { return .foundLost(Set(lost)) }
        let batch = BatchBuilder.batch(of: items)
        if batch.isEmpty { return .committed(outboxRecords: 0, wrote: false) }
        guard let store else { preconditionFailure("a lane commits that never connected") }
        do throws(CommitError) {
            let fence = ShardFence(shard: shard.id, epoch: known.epoch, outboxSequence: known.outboxSequence)
            let began = MonotonicTime.now
            try store.commit(batch, fence: fence)
            shard.metrics.commits.record(MonotonicTime.now.nanoseconds - began.nanoseconds)
            shard.metrics.batches.record(Int64(items.count))
            return .committed(outboxRecords: batch.outbox.count, wrote: true)
        } catch {
            shard.metrics.failures.increment()
            return .commitFailed(error)
        }
    }

    // MARK: Gathering

    private enum Gathered {
        /// Nil when the service stops and the queue is empty.
        case items([LaneItem]?)
        case notYet(LaneWait)
    }

    /// Takes what is queued, once it had time to gather.
    private func gather(until: Instant) -> Gathered {
        let configuration = shard.configuration
        if let wait = gatherPause(atMost: configuration.batchRowLimit) { return .notYet(wait) }
        let items = shard.lane.take(atMost: configuration.batchRowLimit, bytes: configuration.batchByteLimit)
        if let items {
            let now = clock()
            if items.isEmpty, now < until { return .notYet(.items(until: until)) }
            pace.took(items.count, calm: items.count(where: \.isCalm), at: now)
        }
        gathering = Gathering()
        return .items(items)
    }

    /// Lets items gather under load: until there are enough, none came for a while, the pause is over, or one came that
    /// does not have to wait. Returns what to wait for before asking again; nil once the items may be taken.
    private func gatherPause(atMost limit: Int) -> LaneWait? {
        guard gathering.isPausing else { return nil }
        gathering.isPausing = false
        guard !shard.lane.isStopped else { return nil }
        let now = clock()
        let rest = pace.wait(at: now)
        guard rest.isSet else { return nil }
        let count = shard.lane.count
        if count >= limit || (count > 0 && count == gathering.count) { return nil }
        let gathersAll = pace.gathersCalmItems
        if !gathersAll, shard.lane.awaitCalmItem() { return nil }
        gathering = Gathering(count: count)
        let end = now + min(rest, CommitPace.lull)
        return gathersAll ? .pause(until: end) : .items(until: end)
    }

    // MARK: Ownership

    private func own(_ taken: TakenShard, _ since: Instant, isFirst: Bool) {
        shard.perform {
            shard.state.allowsSnapshots = taken.allowsSnapshots
            let now = clock()
            shard.state.ownership.take(epoch: taken.epoch, since: since, at: now, wall: shard.clock())
        }
        guard isFirst else { return }
        log.info("shard taken", metadata: ["shard": "\(shard.id)", "epoch": "\(taken.epoch)"])
        onTaken()
    }

    private func extendLease(_ since: Instant) {
        shard.perform {
            shard.state.ownership.extendLease(from: since, at: clock(), wall: shard.clock())
        }
    }

    private func haveSlicesMoved(_ store: any LaneStore) throws(CommitError) -> Bool {
        guard let standing = try store.standing(of: shard.id) else { return false }
        return standing.sliceVersion != owner.sliceVersion
    }

    /// Whether this process still owns a shard that was lost, and only its slices have changed.
    private func isOwnedWithOtherSlices() -> Bool {
        guard let standing = try? store?.standing(of: shard.id) else { return false }
        return standing.process == owner.process && standing.sliceVersion != owner.sliceVersion
    }

    private func drop(_ items: [LaneItem], _ end: LaneEnd) {
        let failure: LaneFailure
        var loss: ShardLoss?
        var haveMoved = false
        switch end {
        case .stopped, .stoppedWhileAway: failure = .stopped
        case .takenByAnother:
            failure = .fenced
            haveMoved = isOwnedWithOtherSlices()
            if !haveMoved { loss = .takenByAnother }
        case .wentBack(let known, _):
            failure = .fenced
            loss = .databaseWentBack
        }
        if !haveMoved { tell(end) }
        shard.perform { shard.drop(failure, refusing: items) }
        if let loss { onLost(shard.id, loss) }
        if haveMoved { onSlicesMoved() }
    }
}
