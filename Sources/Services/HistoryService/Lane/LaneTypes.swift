internal import SagamoreEngine
internal import SagamorePersistence

/// What a lane does next. The last action of a list is the one whose outcome the state wants to hear as a `LaneEvent`;
/// those before it have none.
enum LaneAction<Item> {
    // Actions that are answered by an event.

    /// Make the connection, or make it anew.
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
    /// Look whether the transaction of these items is there.
    case findOutcome(ArraySlice<Item>)
    /// Come back at this time, or soon after the service was told to stop.
    case wait(until: Instant)
    /// Say that a pause is over. Only the lane itself asks this.
    case resumeAfterPause

    // Actions without an answer.

    /// The shard is owned with this epoch, and its lease was written at `since`.
    case own(TakenShard, since: Instant, isFirst: Bool)
    case extendLease(since: Instant)
    /// Nothing can be committed since then.
    case stall(since: Instant)
    /// Commits go through again.
    case resume
    case release(ArraySlice<Item>, outboxRecords: Int)
    case refuse([Item], LaneRefusal)
    /// All items that were gathered are answered.
    case finish
    case report(LaneReport)
    /// The shard is not this lane's any more: drop it, and refuse these items and all that wait. The end.
    case drop([Item], LaneEnd)
    /// Give the shard back, so that the next owner need not wait. The end.
    case giveBack(epoch: Int64)
}

/// What became of an action.
enum LaneEvent<Item> {
    case connected
    /// Connecting, taking, renewing or looking failed.
    case failed(CommitError)
    /// The shard's row as this owner has written it; nil where it belongs to another.
    case taken(TakenShard?, since: Instant)
    /// The row names this owner no more, and holds this epoch.
    case notOurs(epoch: Int64)
    case renewed(since: Instant)
    /// Nil when the service stops and nothing is left.
    case gathered([Item]?)
    /// Items at these places were decided on something that could not be stored.
    case foundLost(Set<Int>)
    /// The transaction went through; `wrote` is false where there was nothing to write.
    case committed(outboxRecords: Int, wrote: Bool)
    case commitFailed(CommitError)
    case outcome(isCommitted: Bool, outboxRecords: Int)
    case timePassed(isStopping: Bool)
}

/// Why items are refused.
enum LaneRefusal: Sendable {
    /// They were decided on something that could not be stored.
    case basisLost
    /// The item itself can't be stored.
    case culprit(PostgresErrorSummary)
}

/// What the caller of a refused item may hear about the database's error.
struct PostgresErrorSummary: Sendable, Equatable {
    let sqlState: String
    let constraint: String?
    let description: String
}

/// Why a lane ended before its queue was empty.
enum LaneEnd: Sendable, Equatable {
    /// The service stops.
    case stopped
    /// The service stops, and the database can't be reached.
    case stoppedWhileAway
    /// Another owner has the shard.
    case takenByAnother
    /// The database has lost commits that this lane saw: what is in memory is not what is stored.
    case wentBack(known: TakenShard, found: TakenShard?)
}

/// What a lane tells the log, once each time it changes.
enum LaneReport: Sendable, Equatable {
    case notTakenYet(reason: String)
    case away(reason: String)
    /// The database refuses what every commit needs.
    case misconfigured(reason: String)
    case split(count: Int, reason: String)
    case back(epoch: Int64)
}
