internal import SagamoreEngine
internal import SagamorePersistence

/// A commit lane as a value: it takes events and returns actions. It has no thread, no clock and no database.
///
/// Three invariants hold whatever fails: an item is released only when its commit is known, each item is answered
/// exactly once, and items are answered in order.
struct CommitLaneState<Item> {
    enum State: Equatable {
        /// The lane makes its first connection.
        /// Can transition to: taking, backingOff, stopped.
        case connecting
        /// The lane tries to take the shard.
        /// Can transition to: idle, backingOff, stopped.
        case taking
        /// The lane owns the shard and has no items.
        /// Can transition to: committing, renewing, stopped.
        case idle
        /// The lane renews the lease.
        /// Can transition to: idle, committing, reconnecting, lost.
        case renewing
        /// A batch is being committed.
        /// Can transition to: committing (the next part), renewing, idle, reconnecting, backingOff, lost.
        case committing
        /// The lane reconnects after a failure.
        /// Can transition to: retaking, backingOff.
        case reconnecting
        /// The lane writes the shard's row again. The row's lock waits for a transaction of this lane that is in doubt.
        /// Can transition to: findingOutcome, committing, renewing, idle, backingOff, lost.
        case retaking
        /// A commit may have happened. The lane looks for one of its rows.
        /// Can transition to: committing, renewing, idle, reconnecting, backingOff.
        case findingOutcome
        /// The lane pauses until then.
        /// Can transition to: connecting, taking, reconnecting, stopped, lost.
        case backingOff(until: Instant)
        /// Another owner has the shard, the database lost commits, or the service gave up. Terminal.
        case lost
        /// The queue is empty and the shard was released. Terminal.
        case stopped
    }

    /// Items of one transaction.
    private struct Part {
        var items: ArraySlice<Item>
        /// How often a transaction of this size exceeded the resources of the server.
        var overloads = 0
        /// Its transaction may have been committed.
        var isInDoubt = false
    }

    private(set) var state = State.connecting
    /// The shard's row as this lane last saw it committed; nil before it is taken.
    private(set) var known: TakenShard?
    /// Items that were gathered and not answered, in order. The last part is the next one.
    private var parts: [Part] = []
    private var renewAt = Instant.distantPast
    private var stalledSince: Instant?
    /// Failures since the last success.
    private var failures = 0
    private var lastReport: LaneReport?
    /// Whether a shard that is not owned yet can be taken without a new connection.
    private var isConnected = false

    /// A stopping lane waits this long for a database that is away.
    private static var stopPatience: Interval { .seconds(3) }
    private static var shortestPause: Interval { .milliseconds(50) }
    private static var longestPause: Interval { .seconds(2) }
    /// Another node may give its shards back, or this process has taken its first shard a moment ago. Asking costs the
    /// database a look at one row.
    private static var longestPauseForOthers: Interval { .milliseconds(250) }
    /// A transaction that exceeded the resources of the server this often is split.
    private static var overloadLimit: Int { 2 }

    var hasEnded: Bool { state == .lost || state == .stopped }
    /// The number of items that are not answered.
    var itemCount: Int { parts.reduce(0) { $0 + $1.items.count } }

    /// The first actions.
    func begin() -> [LaneAction<Item>] { [.connect] }

    /// - Parameter chance: from 0 to 1; spreads the pauses of lanes that failed together.
    mutating func handle(_ event: LaneEvent<Item>, at now: Instant, chance: Double) -> [LaneAction<Item>] {
        switch (state, event) {
        case (.connecting, .connected):
            state = .taking
            isConnected = true
            return [.take]
        case (.reconnecting, .connected):
            guard let known else { preconditionFailure("a lane reconnects that never owned its shard") }
            state = .retaking
            return [.retake(epoch: known.epoch)]
        case (.connecting, .failed(let error)), (.taking, .failed(let error)):
            isConnected = false
            return notTaken(.notTakenYet(reason: "\(error)"), now, pause: nextPause(chance))
        case (.taking, .taken(nil, _)):
            return notTaken(.standby, now, pause: min(nextPause(chance), Self.longestPauseForOthers))
        case (.taking, .waitsForFirst):
            let pause = min(nextPause(chance), Self.longestPauseForOthers)
            state = .backingOff(until: now + pause)
            return list(.wait(until: now + pause))
        case (.taking, .taken(let taken?, let since)):
            failures = 0
            return own(taken, since, now)
        case (.retaking, .taken(let taken?, let since)):
            return retaken(taken, since, now)
        case (.retaking, .notOurs(let epoch)):
            guard let known, epoch < known.epoch else { return lose(.takenByAnother) }
            return lose(.wentBack(known: known, found: nil))
        case (.renewing, .notOurs):
            return lose(.takenByAnother)
        case (.renewing, .renewed(let since)):
            renewAt = since + ShardLease.renewal
            return list(.extendLease(since: since)) + proceed(now)
        case (.idle, .gathered(nil)):
            state = .stopped
            guard let known else { preconditionFailure("a lane gathers that never owned its shard") }
            return [.drop([], .stopped), .giveBack(epoch: known.epoch)]
        case (.idle, .gathered(let items?)):
            if !items.isEmpty { parts = [Part(items: items[...])] }
            return proceed(now)
        case (.committing, .foundLost(let places)):
            return refuseLost(places, now)
        case (.committing, .committed(let records, let wrote)):
            known?.outboxSequence += Int64(records)
            if wrote { known?.commitCount += 1 }
            return release(records, now)
        case (.committing, .commitFailed(let error)):
            return commitFailed(error, now, chance)
        case (.findingOutcome, .outcome(true, let records)):
            // Retaking the shard has read the counters after this commit.
            return release(records, now)
        case (.findingOutcome, .outcome(false, _)):
            parts[parts.count - 1].isInDoubt = false
            return proceed(now)
        case (.renewing, .failed(let error)), (.findingOutcome, .failed(let error)),
            (.reconnecting, .failed(let error)), (.retaking, .failed(let error)):
            return troubled(error, now, chance)
        case (.backingOff, .timePassed(let isStopping)):
            return resumed(isStopping, now)
        default:
            preconditionFailure("a lane in state \(state) was told \(event)")
        }
    }

    // MARK: Ownership

    private mutating func own(_ taken: TakenShard, _ since: Instant, _ now: Instant) -> [LaneAction<Item>] {
        let isFirst = known == nil
        known = taken
        renewAt = since + ShardLease.renewal
        return list(.own(taken, since: since, isFirst: isFirst)) + proceed(now)
    }

    private mutating func retaken(_ taken: TakenShard, _ since: Instant, _ now: Instant) -> [LaneAction<Item>] {
        guard let known else { preconditionFailure("a lane retakes a shard that it never owned") }
        guard taken.epoch > known.epoch, taken.commitCount >= known.commitCount,
            taken.outboxSequence >= known.outboxSequence
        else { return lose(.wentBack(known: known, found: taken)) }
        var actions: [LaneAction<Item>] = []
        // If there are items, their commit shows whether the failure is over.
        if parts.isEmpty { actions = recovered() }
        return actions + own(taken, since, now)
    }

    private mutating func lose(_ end: LaneEnd) -> [LaneAction<Item>] {
        state = .lost
        let items = parts.reversed().flatMap(\.items)
        parts = []
        return [.drop(items, end)]
    }

    // MARK: Items

    /// The next actions of an owner.
    private mutating func proceed(_ now: Instant) -> [LaneAction<Item>] {
        guard let known else { preconditionFailure("a lane commits that never owned its shard") }
        if let part = parts.last, part.isInDoubt {
            state = .findingOutcome
            return [.findOutcome(part.items)]
        }
        if now >= renewAt {
            state = .renewing
            return [.renewLease(epoch: known.epoch)]
        }
        guard let part = parts.last else {
            state = .idle
            return [.gather(until: renewAt)]
        }
        state = .committing
        return [.commit(part.items, known)]
    }

    /// The current part is answered. A refused one was not committed, but it shows as well that a failure is over: the
    /// shard has been taken again since, or the database itself has refused an item.
    private mutating func answered(_ now: Instant) -> [LaneAction<Item>] {
        parts.removeLast()
        return (parts.isEmpty ? recovered() + list(.finish) : list()) + proceed(now)
    }

    private mutating func release(_ records: Int, _ now: Instant) -> [LaneAction<Item>] {
        guard let part = parts.last else { preconditionFailure("a lane releases items that it does not have") }
        return recovered() + list(.release(part.items, outboxRecords: records)) + answered(now)
    }

    private mutating func refuseLost(_ places: Set<Int>, _ now: Instant) -> [LaneAction<Item>] {
        guard let part = parts.last else { preconditionFailure("a lane refuses items that it does not have") }
        precondition(!places.isEmpty && places.allSatisfy { part.items.indices.contains($0) })
        let lost = part.items.indices.filter { places.contains($0) }.map { part.items[$0] }
        let rest = part.items.indices.filter { !places.contains($0) }.map { part.items[$0] }
        let refusal = LaneAction<Item>.refuse(lost, .basisLost)
        if rest.isEmpty { return list(refusal) + answered(now) }
        parts[parts.count - 1].items = rest[...]
        return list(refusal) + proceed(now)
    }

    /// Halves the current part. The first half is next.
    private mutating func split() {
        let part = parts.removeLast()
        precondition(part.items.count > 1 && !part.isInDoubt)
        let middle = part.items.startIndex + part.items.count / 2
        // A half that is still too large is split at its first failure.
        let overloads = min(part.overloads, Self.overloadLimit - 1)
        parts.append(Part(items: part.items[middle...], overloads: overloads))
        parts.append(Part(items: part.items[..<middle], overloads: overloads))
    }
}

// MARK: - Failures

extension CommitLaneState {
    private mutating func commitFailed(
        _ error: CommitError,
        _ now: Instant,
        _ chance: Double
    ) -> [LaneAction<Item>] {
        guard let part = parts.last else { preconditionFailure("a lane commits items that it does not have") }
        switch error {
        case .fenced:
            return lose(.takenByAnother)
        case .data(let cause), .permanent(let cause):
            // One of the items cannot be written. Halving finds it; it is refused, and the others are committed.
            if part.items.count > 1 {
                split()
                return proceed(now)
            }
            let summary = PostgresErrorSummary(
                sqlState: cause.sqlState ?? "",
                constraint: cause.constraint,
                description: "\(cause)"
            )
            return list(.refuse(Array(part.items), .culprit(summary))) + answered(now)
        case .outcomeUnknown:
            parts[parts.count - 1].isInDoubt = true
            return troubled(error, now, chance)
        case .transient(let cause):
            guard error.isOverload else { return troubled(error, now, chance) }
            parts[parts.count - 1].overloads += 1
            guard part.items.count > 1, parts[parts.count - 1].overloads >= Self.overloadLimit else {
                return troubled(error, now, chance)
            }
            let count = part.items.count
            split()
            return report(.split(count: count, reason: "\(cause)")) + troubled(error, now, chance)
        case .misconfigured:
            return troubled(error, now, chance)
        }
    }

    /// Nothing was written, and no item is at fault. The lane reconnects at once the first time, and then after pauses.
    private mutating func troubled(_ error: CommitError, _ now: Instant, _ chance: Double) -> [LaneAction<Item>] {
        if case .fenced = error { return lose(.takenByAnother) }
        let since = stalledSince ?? now
        stalledSince = since
        var actions: [LaneAction<Item>] = [.stall(since: since)]
        if case .misconfigured(let cause) = error {
            actions += report(.misconfigured(reason: "\(cause)"))
        } else {
            actions += report(.away(reason: "\(error)"))
        }
        let pause = nextPause(chance)
        guard failures > 1 else {
            state = .reconnecting
            return actions + list(.connect)
        }
        state = .backingOff(until: now + pause)
        return actions + list(.wait(until: now + pause))
    }

    private mutating func notTaken(_ why: LaneReport, _ now: Instant, pause: Interval) -> [LaneAction<Item>] {
        state = .backingOff(until: now + pause)
        return report(why) + list(.wait(until: now + pause))
    }

    private mutating func resumed(_ isStopping: Bool, _ now: Instant) -> [LaneAction<Item>] {
        guard case .backingOff(let until) = state else { preconditionFailure("a lane waits in state \(state)") }
        guard known != nil else {
            if isStopping {
                state = .stopped
                return [.drop([], .stopped)]
            }
            if now < until { return [.wait(until: until)] }
            state = isConnected ? .taking : .connecting
            return [isConnected ? .take : .connect]
        }
        if isStopping, let stalledSince, now - stalledSince > Self.stopPatience { return lose(.stoppedWhileAway) }
        if now < until { return [.wait(until: until)] }
        state = .reconnecting
        return [.connect]
    }

    /// Doubles with each failure. Chance spreads it over its second half.
    private mutating func nextPause(_ chance: Double) -> Interval {
        precondition((0...1).contains(chance))
        failures += 1
        let doublings = min(failures - 1, 10)
        let full = min(Self.shortestPause.nanoseconds << Int64(doublings), Self.longestPause.nanoseconds)
        return Interval(nanoseconds: full / 2 + Int64(Double(full / 2) * chance))
    }

    private mutating func recovered() -> [LaneAction<Item>] {
        failures = 0
        guard stalledSince != nil, let known else { return [] }
        stalledSince = nil
        lastReport = nil
        return [.resume, .report(.back(epoch: known.epoch))]
    }

    /// Typed, so that the compiler need not infer the type of joined lists.
    private func list(_ actions: LaneAction<Item>...) -> [LaneAction<Item>] { actions }

    /// Reports a reason once, until a different report follows.
    private mutating func report(_ report: LaneReport) -> [LaneAction<Item>] {
        guard report != lastReport else { return [] }
        lastReport = report
        return [.report(report)]
    }
}
