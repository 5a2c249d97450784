internal import Glibc
internal import SagamoreEngine
internal import SagamoreLogging
internal import SagamorePersistence

/// A shard's commit lane: the one thread that writes. It takes the shard, commits what is decided in batches, and
/// releases the effects in order.
final class CommitLane: @unchecked Sendable {
    private let shard: Shard
    private let makeStore: @Sendable () throws -> any LaneStore
    private let owner: ShardOwner
    private let onTaken: @Sendable () -> Void
    private let onOutboxGrowth: @Sendable (Int32) -> Void
    private let onFenced: @Sendable (Int32) -> Void
    private var store: (any LaneStore)?
    private var epoch: Int64 = 0
    private var outboxSequence: Int64 = 0
    private var renewAt = Instant.distantPast
    private var pace = CommitPace()
    /// The service stops, and the database can't be reached.
    private var hasGivenUp = false
    private let log: Logger

    init(
        shard: Shard,
        owner: ShardOwner,
        makeStore: @escaping @Sendable () throws -> any LaneStore,
        onTaken: @escaping @Sendable () -> Void,
        onOutboxGrowth: @escaping @Sendable (Int32) -> Void,
        onFenced: @escaping @Sendable (Int32) -> Void
    ) {
        self.shard = shard
        self.owner = owner
        self.makeStore = makeStore
        self.onTaken = onTaken
        self.onOutboxGrowth = onOutboxGrowth
        self.onFenced = onFenced
        log = shard.log
    }

    func run() {
        guard takeShard() else { return }
        while true {
            let wait = max(renewAt - SteadyClock.now(), .milliseconds(1)).nanoseconds
            let configuration = shard.configuration
            gather(atMost: configuration.batchRowLimit)
            let items = shard.lane.take(
                atMost: configuration.batchRowLimit,
                bytes: configuration.batchByteLimit,
                wait: wait
            )
            guard let items else { break }
            pace.took(items.count, at: SteadyClock.now())
            guard renewLease() else { return fenced(items) }
            if items.isEmpty { continue }
            guard commit(items[...]) else { return fenced(items) }
            shard.lane.finished()
        }
        shard.perform { shard.drop(.stopped) }
        for item in shard.lane.close() { item.refuse?(.stopped) }
        try? store?.releaseShard(shard.id, epoch: epoch)
    }

    /// Lets items gather under load: until enough are there, none came for a while, or the pause is over.
    private func gather(atMost limit: Int) {
        var known = 0
        while !shard.lane.isStopped {
            let rest = pace.wait(at: SteadyClock.now())
            guard rest.isSet else { return }
            let count = shard.lane.count
            if count >= limit || (count > 0 && count == known) { return }
            known = count
            usleep(UInt32(min(rest, CommitPace.lull).nanoseconds / 1_000))
        }
    }

    // MARK: Ownership

    private func takeShard() -> Bool {
        var pause: Int64 = 100
        var lastProblem = ""
        while !shard.lane.isStopped {
            var problem = "it is owned by another node, whose lease has not lapsed"
            do {
                if store == nil { store = try makeStore() }
                let since = SteadyClock.now()
                if let taken = try store?.takeShard(shard.id, as: owner) {
                    epoch = taken.epoch
                    outboxSequence = taken.outboxSequence
                    shard.perform {
                        shard.epoch = epoch
                        shard.phase = .owned
                        leased(since)
                    }
                    log.info("shard taken", metadata: ["shard": "\(shard.id)", "epoch": "\(epoch)"])
                    onTaken()
                    return true
                }
            } catch {
                problem = "\(error)"
                try? store?.reconnect()
            }
            if problem != lastProblem {
                log.warning("shard can not be taken yet", metadata: ["shard": "\(shard.id)", "reason": problem])
                lastProblem = problem
            }
            sleep(milliseconds: pause)
            pause = min(pause * 2, 2_000)
        }
        return false
    }

    /// Renews the lease when it is time; false when the shard is lost.
    private func renewLease() -> Bool {
        let now = SteadyClock.now()
        guard now >= renewAt, let store else { return true }
        do throws(CommitError) {
            guard try store.renewLease(shard.id, as: owner, epoch: epoch) else { return false }
            shard.perform { leased(now) }
            return true
        } catch {
            // The next commit finds out what is wrong with the connection.
            return recover(from: error)
        }
    }

    /// Under the shard's lock: the lease was lengthened at `since`. It lasts 2 s, and is respected for 10 s more; some of
    /// that is left unused.
    private func leased(_ since: Instant) {
        renewAt = since + .seconds(1)
        shard.extendLease(from: since)
    }

    private func fenced(_ items: [LaneItem]) {
        let metadata = ["shard": "\(shard.id)", "epoch": "\(epoch)"]
        if hasGivenUp {
            log.warning("stopped while PostgreSQL could not be reached: what waited is refused", metadata: metadata)
        } else {
            log.error("shard lost to another owner; this node drops it", metadata: metadata)
        }
        let failure = hasGivenUp ? LaneFailure.stopped : .fenced
        shard.perform { shard.drop(failure) }
        for item in items + shard.lane.close() { item.refuse?(failure) }
        if !hasGivenUp { onFenced(shard.id) }
    }

    // MARK: Committing

    /// Commits items, and releases or refuses each. False when the shard is lost.
    private func commit(_ items: ArraySlice<LaneItem>) -> Bool {
        let lost = shard.perform { items.indices.filter { items[$0].isLost } }
        if !lost.isEmpty {
            for index in lost { refuse(items[index], .lost) }
            let gone = Set(lost)
            let live = items.indices.filter { !gone.contains($0) }.map { items[$0] }
            return live.isEmpty || commit(live[...])
        }
        let batch = BatchBuilder.batch(of: items)
        if batch.isEmpty {
            release(items, outboxRecords: 0)
            return true
        }
        while true {
            do throws(CommitError) {
                guard let store else { return false }
                let fence = ShardFence(shard: shard.id, epoch: epoch, outboxSequence: outboxSequence)
                try store.commit(batch, fence: fence)
                release(items, outboxRecords: batch.outbox.count)
                return true
            } catch {
                switch error {
                case .fenced:
                    return false
                case .data(let cause), .permanent(let cause):
                    return bisect(items, cause.sqlState ?? "", cause.constraint, "\(cause)")
                case .transient:
                    guard recover(from: error) else { return false }
                case .outcomeUnknown:
                    guard recover(from: error) else { return false }
                    guard let isThere = isCommitted(batch) else { return false }
                    if isThere {
                        release(items, outboxRecords: batch.outbox.count, isCounted: true)
                        return true
                    }
                }
            }
        }
    }

    /// One of the items can't be written: it gets the error, what was decided on top of it is refused too, the others
    /// go on.
    private func bisect(
        _ items: ArraySlice<LaneItem>,
        _ sqlState: String,
        _ constraint: String?,
        _ description: String
    ) -> Bool {
        if items.count > 1 {
            let middle = items.startIndex + items.count / 2
            guard commit(items[..<middle]) else { return false }
            return commit(items[middle...])
        }
        guard let item = items.first else { return true }
        let failure: LaneFailure.Reason =
            switch (sqlState, constraint) {
            case ("23505", "inbox_commands"): .knownCommand
            case (CommitError.knownWorkflow, _): .knownWorkflow
            default: .other
            }
        if failure == .other {
            log.error(
                "a transition can not be stored and is refused",
                metadata: ["run": item.run?.runID.description ?? "", "error": description]
            )
        }
        let reason = sqlState.isEmpty ? "" : " (SQLSTATE \(sqlState))"
        let error = RequestError(.internalError, "this can not be stored\(reason); it was refused")
        refuse(item, LaneFailure(error, failure))
        return true
    }

    private func refuse(_ item: LaneItem, _ failure: LaneFailure) {
        shard.perform {
            item.countUncommitted(-1)
            // What was replaced goes on as it is stored, when it is loaded anew.
            if let replaced = item.ending?.run { shard.kill(replaced, in: item.slot) }
            if let run = item.run { shard.kill(run, in: item.slot) }
            if let inbox = item.inbox, failure.reason != .knownCommand {
                shard.recentCommands.remove(LookUp(key: inbox.key, commandID: inbox.commandID))
            }
            if let slot = item.slot, item.run == nil { shard.dropIfUnused(slot) }
        }
        item.refuse?(failure)
    }

    private func release(_ items: ArraySlice<LaneItem>, outboxRecords: Int, isCounted: Bool = false) {
        if !isCounted { outboxSequence += Int64(outboxRecords) }
        var news: [@Sendable () -> Void] = []
        shard.perform {
            shard.stalledSince = nil
            for item in items {
                item.countUncommitted(-1)
                // Also of an item without rows: it may have been the last that others waited behind.
                if let slot = item.slot { news += shard.committedNews(in: slot) }
                if let slot = item.slot, item.closing != nil || item.run == nil { shard.dropIfUnused(slot) }
            }
        }
        let matching = shard.matching()
        for item in items {
            item.release?()
            for offer in item.offers { matching?.offer(offer) }
        }
        for action in news { action() }
        if outboxRecords > 0 { onOutboxGrowth(shard.id) }
    }

    // MARK: After trouble

    /// Makes the connection anew and takes the shard again, where it still names this owner and epoch. The row's lock
    /// makes this wait for a transaction of ours that is in doubt. False when the shard is lost.
    private func recover(from error: CommitError) -> Bool {
        let since = SteadyClock.now()
        shard.perform { if shard.stalledSince == nil { shard.stalledSince = since } }
        log.warning("PostgreSQL can not be reached, retrying", metadata: ["shard": "\(shard.id)", "error": "\(error)"])
        var pause: Int64 = 50
        while true {
            do throws(CommitError) {
                guard let store else { return false }
                try store.reconnect()
                let now = SteadyClock.now()
                guard let taken = try store.retakeShard(shard.id, as: owner, epoch: epoch) else { return false }
                epoch = taken.epoch
                outboxSequence = taken.outboxSequence
                shard.perform {
                    shard.epoch = epoch
                    leased(now)
                    shard.stalledSince = nil
                }
                log.info("PostgreSQL is back", metadata: ["shard": "\(shard.id)", "epoch": "\(epoch)"])
                return true
            } catch {
                if case .fenced = error { return false }
                if shard.lane.isStopped, SteadyClock.now() - since > .seconds(3) {
                    hasGivenUp = true
                    return false
                }
                sleep(milliseconds: pause)
                pause = min(pause * 2, 2_000)
            }
        }
    }

    /// Whether a batch whose outcome was unknown is there: it is one transaction, so one row tells.
    private func isCommitted(_ batch: CommitBatch) -> Bool? {
        while true {
            do throws(CommitError) {
                guard let store else { return nil }
                if let row = batch.journal.first {
                    return try store.isCommitted(runID: row.runID, sequence: row.sequence)
                }
                if let row = batch.inbox.first { return try store.isCommitted(row) }
                // Alarms alone: writing them twice does no harm.
                return false
            } catch {
                guard recover(from: error) else { return nil }
            }
        }
    }

    private func sleep(milliseconds: Int64) {
        usleep(UInt32(milliseconds * 1_000))
    }
}
