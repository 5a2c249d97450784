public import SagamoreEngine

/// What goes wrong with an operation. The world decides, before each one.
public enum DatabaseFault: Sendable, Equatable {
    /// Nothing.
    case none
    /// The connection is found lost before anything is sent: nothing is done. A new session is refused so.
    case connectionLost
    /// The connection is lost before the answer. `isDone` tells whether the transaction was committed; the caller
    /// does not hear it.
    case answerLost(isDone: Bool)
    /// The server refuses the operation, and nothing is done. The session goes on.
    ///
    /// `42P01` (a table is missing) hits every row, `22003` a row, `53200` or `57014` what is too large.
    case refused(sqlState: String, constraint: String? = nil)
    /// The server ends the session before the commit, for example `57P01` when it is shut down. Nothing is done.
    case sessionEnded(sqlState: String)
    /// A commit that writes to this run is refused, others are not: a row that cannot be stored.
    case refusedRun(RunID, sqlState: String)
    /// A commit of more rows than this is refused, with `53200` (out of memory) or `57014` (statement timeout).
    case refusedAbove(rows: Int, sqlState: String)
    /// A commit that has passed its fence and then hangs: the caller loses the connection and does not hear of it, and
    /// the shard's row stays locked until an instant. Then it is committed (`isDone`), or rolled back.
    ///
    /// For an operation that is no commit, the same as `answerLost`.
    case hangs(until: Instant, isDone: Bool)

    /// Every row meets the same error: a table is missing.
    public static let tableMissing = DatabaseFault.refused(sqlState: "42P01")
}

/// A defect that the database has on purpose, so that the checks of a world can be checked.
public enum PlantedBug: Sendable, Hashable, CaseIterable {
    /// The fence of an older epoch returns instead of raising, and the rest of the transaction is committed.
    case fenceThatReturns
    /// An inbox row is written in a transaction of its own, behind its effect: it is lost when the answer is.
    case inboxInAnotherTransaction
    /// A run that leaves memory keeps the alarm of one that is in memory.
    case alarmLostAtParking
}
