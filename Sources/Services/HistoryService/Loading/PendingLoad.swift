internal import SagamoreEngine
internal import SagamorePersistence
internal import SagamoreServices

/// A context that the loader has claimed, and its waiters of then.
struct ClaimedContext {
    let context: WorkflowContext
    let claim: LoadClaim
    let waiters: [LoadWaiter]
    /// Its current run is read; else only commands are looked up.
    let readsRun: Bool
}

/// A closed run that the loader reads because it may owe something.
struct ClaimedDebtor {
    let context: WorkflowContext
    let row: RunRow
}

/// Rows of the backlog, by run, whose queue has room.
struct PagedTasks {
    let queue: TaskQueueKey
    let rows: [RunID: [BacklogRow]]
}

/// What was found of a workflow, or of a run that somebody wants to look at.
enum LoadedRun {
    /// There is no run.
    case noRun
    case closed(RunRow)
    case run(CachedRun)
    /// Its journal cannot be read, or is not there any more.
    case broken(RequestError, isMissing: Bool)
}

/// Somebody who looks at a closed run and forgets it.
struct ClosedRunReader: Sendable {
    let failed: @Sendable (RequestError) -> Void
    let done: @Sendable (CachedRun) -> Void

    func answer(_ found: LoadedRun, _ row: RunRow) {
        switch found {
        case .run(let run): done(run)
        case .noRun, .closed, .broken(_, isMissing: true):
            // Its retention ended after its row was read.
            failed(.runNotFound(row.key.workflowID, row.runID))
        case .broken: failed(RequestError(.internalError, "the journal of run \(row.runID) cannot be read"))
        }
    }
}

/// Runs whose journals are being read, and who gets each. Used in the loader's turns only.
final class PendingLoad {
    enum Destination {
        case context(ClaimedContext)
        /// The run stays beside the current one if it owes something.
        case debtor(WorkflowContext)
        case reader(ClosedRunReader)
    }

    var journals: JournalLoad
    /// Runs of the last page, which wait for their heartbeats.
    var heartbeats = HeartbeatLoad()
    /// By run; a run leaves when it is settled.
    var destinations: [RunID: Destination] = [:]
    /// Commands that the database knows.
    let known: Set<LookUp>
    /// The tasks for whose sake the runs come back.
    let pagedIn: PagedTasks?
    private let reading: Set<LoadClaim>
    /// Told when all are settled; false when the database failed.
    let then: (_ isDone: Bool) -> Void

    /// - Parameters:
    ///   - rows: the newest runs of the contexts' workflows.
    ///   - debtors: closed runs that may owe something.
    init(
        _ claimed: [ClaimedContext],
        _ rows: [WorkflowKey: RunRow],
        debtors: [ClaimedDebtor],
        known: Set<LookUp>,
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
        self.pagedIn = pagedIn
        self.then = then
    }

    init(reading row: RunRow, _ reader: ClosedRunReader) {
        journals = JournalLoad([row])
        destinations = [row.runID: .reader(reader)]
        known = []
        reading = []
        pagedIn = nil
        then = { _ in }
    }

    /// Whether the journal of the context's run is to be read.
    func isReading(_ entry: ClaimedContext) -> Bool { reading.contains(entry.claim) }
}
