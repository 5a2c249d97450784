internal import SagamoreEngine
internal import SagamorePersistence
internal import SagamoreServices

/// A context that the loader has claimed, with the waiters that it had then.
struct ClaimedContext {
    let context: WorkflowContext
    let claim: LoadClaim
    let waiters: [LoadWaiter]
    /// Whether its current run is read. Otherwise only commands are looked up.
    let readsRun: Bool
}

/// A closed run that the loader reads because it may have debts.
struct ClaimedDebtor {
    let context: WorkflowContext
    let row: RunRow
}

/// Rows of the backlog for a task queue that has room, by run.
struct PagedTasks {
    let queue: TaskQueueKey
    let rows: [RunID: [BacklogRow]]
}

/// The result of loading a workflow, or a closed run for a reader.
enum LoadedRun {
    /// The workflow has no run.
    case noRun
    case closed(RunRow)
    case run(CachedRun)
    /// The run's journal cannot be read, or no longer exists.
    case broken(RequestError, isMissing: Bool)
}

/// A reader of a closed run, which does not stay in memory.
struct ClosedRunReader: Sendable {
    let failed: @Sendable (RequestError) -> Void
    let done: @Sendable (CachedRun) -> Void

    func answer(_ found: LoadedRun, _ row: RunRow) {
        switch found {
        case .run(let run): done(run)
        case .noRun, .closed, .broken(_, isMissing: true):
            // Retention deleted the run after its row was read.
            failed(.runNotFound(row.key.workflowID, row.runID))
        case .broken: failed(RequestError(.internalError, "the journal of run \(row.runID) cannot be read"))
        }
    }
}

/// Runs whose journals are being read, and where each one goes. Used only in the loader's turns.
final class PendingLoad {
    enum Destination {
        case context(ClaimedContext)
        /// The run stays in memory beside the current one if it has debts.
        case debtor(WorkflowContext)
        /// Those who wait in the queue, and those who have come meanwhile.
        case readers
    }

    var journals: JournalLoad
    /// The runs of the last page, which wait for their heartbeats.
    var heartbeats = HeartbeatLoad()
    /// By run. A run is removed when it is settled.
    var destinations: [RunID: Destination] = [:]
    /// Commands that were carried out before, according to the database.
    let known: Set<LookUp>
    /// The alarms of the runs that had left memory.
    let alarms: [RunID: Instant]
    /// The tasks for which the runs come back.
    let pagedIn: PagedTasks?
    private let reading: Set<LoadClaim>
    /// Called when all are settled, with false if the database failed.
    let then: (_ isDone: Bool) -> Void

    /// - Parameters:
    ///   - rows: the newest runs of the contexts' workflows.
    ///   - debtors: closed runs that may have debts.
    init(
        _ claimed: [ClaimedContext],
        _ rows: [WorkflowKey: RunRow],
        debtors: [ClaimedDebtor],
        known: Set<LookUp>,
        alarms: [RunID: Instant],
        pagedIn: PagedTasks?,
        then: @escaping (_ isDone: Bool) -> Void
    ) {
        var open: [RunRow] = []
        var reading: Set<LoadClaim> = []
        for entry in claimed where entry.readsRun {
            guard let row = rows[entry.context.key], row.status == .running else { continue }
            destinations[row.runID] = .context(entry)
            open.append(row)
            reading.insert(entry.claim)
        }
        for debtor in debtors { destinations[debtor.row.runID] = .debtor(debtor.context) }
        journals = JournalLoad(open + debtors.map(\.row))
        self.reading = reading
        self.known = known
        self.alarms = alarms
        self.pagedIn = pagedIn
        self.then = then
    }

    /// Reads a closed run for its readers.
    init(reading row: RunRow) {
        journals = JournalLoad([row])
        destinations = [row.runID: .readers]
        known = []
        alarms = [:]
        reading = []
        pagedIn = nil
        then = { _ in }
    }

    /// Whether the journal of the context's current run is being read.
    func isReading(_ entry: ClaimedContext) -> Bool { reading.contains(entry.claim) }
}
