internal import SagamoreEngine
internal import SagamorePersistence

/// What a lane does next. The outcome of the last action of a list goes back to the state as a `LaneEvent`; the actions
/// before it have none.
enum LaneAction<Item> {
    // Actions that are answered by an event.

    /// Connect or reconnect.
    case connect
    /// Take the shard for the first time.
    case take
    /// Take the shard again after a lost connection.
    case retake(epoch: Int64)
    case renewLease(epoch: Int64)
    /// Wait for items, until the lease has to be renewed.
    case gather(until: Instant)
    /// Commit the items in one transaction.
    case commit(ArraySlice<Item>, TakenShard)
    /// Check whether the transaction of these items was committed.
    case findOutcome(ArraySlice<Item>)
    /// Come back at this time, or soon after the service was told to stop.
    case wait(until: Instant)
    /// Report that a pause is over. Only the lane itself uses this.
    case resumeAfterPause

    // Actions without an answer.

    /// The shard is owned with this epoch, and its lease was written at `since`.
    case own(TakenShard, since: Instant, isFirst: Bool)
    case extendLease(since: Instant)
    /// No commit has been possible since then.
    case stall(since: Instant)
    /// Commits succeed again.
    case resume
    case release(ArraySlice<Item>, outboxRecords: Int)
    case refuse([Item], LaneRefusal)
    /// All items that were gathered are answered.
    case finish
    case report(LaneReport)
    /// The lane has lost the shard: drop it, and refuse these items and all queued ones. Terminal.
    case drop([Item], LaneEnd)
    /// Release the shard, so that the next owner need not wait. Terminal.
    case giveBack(epoch: Int64)
}

/// The outcome of an action.
enum LaneEvent<Item> {
    case connected
    /// Connecting, taking, renewing or looking failed.
    case failed(CommitError)
    /// The shard's row as this owner has written it; nil where it belongs to another.
    case taken(TakenShard?, since: Instant)
    /// Another shard has to be taken before.
    case waitsForFirst
    /// The row no longer names this owner. Contains the epoch in the row.
    case notOurs(epoch: Int64)
    case renewed(since: Instant)
    /// Nil when the service stops and the queue is empty.
    case gathered([Item]?)
    /// The items at these indices depend on a change that could not be stored.
    case foundLost(Set<Int>)
    /// The transaction was committed. `wrote` is false if there was nothing to write.
    case committed(outboxRecords: Int, wrote: Bool)
    case commitFailed(CommitError)
    case outcome(isCommitted: Bool, outboxRecords: Int)
    case timePassed(isStopping: Bool)
}

/// Why items are refused.
enum LaneRefusal: Sendable {
    /// They depend on a change that could not be stored.
    case basisLost
    /// The item itself cannot be stored.
    case culprit(PostgresErrorSummary)
}

/// The part of the database's error that the caller of a refused item may see.
struct PostgresErrorSummary: Sendable, Equatable {
    let sqlState: String
    let constraint: String?
    let description: String
}

/// Why a lane ended before its queue was empty.
enum LaneEnd: Sendable, Equatable {
    /// The service stops.
    case stopped
    /// The service stops while the database cannot be reached.
    case stoppedWhileAway
    /// Another owner has the shard.
    case takenByAnother
    /// The database has lost commits that this lane saw, so memory differs from what is stored.
    case wentBack(known: TakenShard, found: TakenShard?)
}

/// What a lane logs, once per change.
enum LaneReport: Sendable, Equatable {
    case notTakenYet(reason: String)
    /// Another node has the shard: this one waits until it is gone.
    case standby
    case away(reason: String)
    /// The database refuses something that every commit needs.
    case misconfigured(reason: String)
    case split(count: Int, reason: String)
    case back(epoch: Int64)
}
