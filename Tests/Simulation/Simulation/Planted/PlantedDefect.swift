internal import SagamoreEngine
internal import SagamoreHistoryService
internal import SagamorePersistence
internal import SagamoreServices
internal import SagamoreSimulatedDatabase

/// A defect that a world has on purpose. The checks of a world are worth something if they find each of them.
public enum PlantedDefect: String, CaseIterable, Sendable {
    /// The fence of an owner that lost its shard returns, and the rest of its commit goes through.
    case fenceThatReturns = "fence-that-returns"
    /// A lane answers its callers before the commit.
    case effectBeforeCommit = "effect-before-commit"
    /// A run that leaves memory keeps the alarm of one that is in memory.
    case alarmLostAtParking = "alarm-lost-at-parking"
    /// A task of a sticky queue without a worker is never offered to others.
    case stickyTaskNeverGivenUp = "sticky-task-never-given-up"
    /// A workflow's run is looked up as it was at the first look-up.
    case staleRunTaken = "stale-run-taken"
    /// The id of the request that started a run is forgotten when the run leaves memory.
    case requestForgotten = "request-forgotten"
    /// An event that was buffered while a worker had a workflow task is lost when the run is loaded.
    case bufferedEventDropped = "buffered-event-dropped"
    /// A commit whose outcome nobody heard is taken for done.
    case unheardCommitTakenForDone = "unheard-commit-taken-for-done"
    /// A commit whose outcome nobody heard is taken for undone.
    case unheardCommitRepeated = "unheard-commit-repeated"
    /// A run that was in memory is left out when the shard is taken.
    case activeRunForgotten = "active-run-forgotten"
    /// A run that was in memory is taken for one that had left it, whose tasks have rows in the backlog.
    case activeRunTakenForParked = "active-run-taken-for-parked"
    /// A command's row in the inbox is written in a transaction of its own, behind its effect.
    case inboxInAnotherTransaction = "inbox-in-another-transaction"
    /// Who takes a shard numbers its records from the last one that was written, and not from the one behind.
    case outboxNumberUsedTwice = "outbox-number-used-twice"
    /// Who takes a shard leaves no numbers out: those of commits that the database has lost are used again.
    case lostNumbersUsedAgain = "lost-numbers-used-again"
    /// The details of heartbeats are not loaded.
    case heartbeatForgotten = "heartbeat-forgotten"

    /// A query has as many lookups as there are.
    case lookUpsUnbounded = "lookups-unbounded"
    /// A page is as large as its rows.
    case pagesUnbounded = "pages-unbounded"
    /// Loaded runs keep their histories, however many there are.
    case tailsUnbounded = "tails-unbounded"
    /// All that was read is settled in one hold.
    case settlingUnbounded = "settling-unbounded"
    /// All runs that are due are handled in one hold.
    case dueRunsUnbounded = "due-runs-unbounded"
    /// Due runs are handled in one hold, however much they write.
    case dueEntriesUnbounded = "due-entries-unbounded"
    /// All idle runs leave memory in one hold.
    case sweepUnbounded = "sweep-unbounded"

    /// Takes the bound away that the defect ignores.
    func loosen(_ bounds: inout WorkBounds) {
        switch self {
        case .lookUpsUnbounded: bounds.lookUps = .max
        case .pagesUnbounded: bounds.pageBytes = .max
        case .tailsUnbounded: bounds.tailBytes = .max
        case .settlingUnbounded: bounds.settledRuns = .max
        case .dueRunsUnbounded: (bounds.dueRuns, bounds.lateDueRuns) = (.max, .max)
        case .dueEntriesUnbounded: bounds.dueEntries = .max
        case .sweepUnbounded: bounds.idleRuns = .max
        default: break
        }
    }

    /// The kinds of faults that the defect shows after, where those are too rare to show it soon: they are made
    /// frequent.
    var mistreatedFaults: [FaultKind] {
        switch self {
        case .unheardCommitTakenForDone, .unheardCommitRepeated: [.commitUnheard]
        case .stickyTaskNeverGivenUp: [.workerShutdown, .clockStep]
        case .activeRunForgotten, .activeRunTakenForParked: [.serverKill, .serverRestart]
        case .lostNumbersUsedAgain: [.databaseWentBack]
        default: []
        }
    }

    /// When idle runs leave memory, where the defect shows in runs that have left it.
    var parkAfter: Interval? { self == .staleRunTaken ? .milliseconds(50) : nil }

    /// The share of sagas that begin with a command, where the defect shows in those only or in the others only.
    var commandShare: Double? {
        switch self {
        case .inboxInAnotherTransaction, .lostNumbersUsedAgain: 1
        case .staleRunTaken: 0
        default: nil
        }
    }

    /// The defects of the database itself.
    var ofDatabase: Set<PlantedBug> {
        switch self {
        case .fenceThatReturns: [.fenceThatReturns]
        case .alarmLostAtParking: [.alarmLostAtParking]
        case .inboxInAnotherTransaction: [.inboxInAnotherTransaction]
        default: []
        }
    }
}
