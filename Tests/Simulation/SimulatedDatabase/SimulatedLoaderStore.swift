public import SagamoreEngine
public import SagamorePersistence
internal import SagamoreProtobuf

/// A loader's session with a simulated database.
public final class SimulatedLoaderStore: LoaderStore {
    let database: SimulatedDatabase
    let session: Session

    init(_ database: SimulatedDatabase, _ session: Session) {
        self.database = database
        self.session = session
    }

    public func sliceTable() throws(CommitError) -> SliceTable {
        try database.perform(.sliceTable, session) { () throws(CommitError) in database.tables.sliceTable }
    }

    public func lookUp(_ questions: [LookUp]) throws(CommitError) -> [LookUpAnswer] {
        try database.perform(.lookUp, session) { () throws(CommitError) in
            for question in questions { try CommitError.refuseNul(question.key.workflowID, question.commandID) }
            return questions.map { question in
                let newest = database.tables.runsByWorkflow[question.key]?.last
                let isKnown = !question.commandID.isEmpty && database.tables.inbox[question] != nil
                return LookUpAnswer(
                    run: newest.flatMap { database.tables.runs[$0] },
                    isKnownCommand: isKnown,
                    alarm: newest.flatMap { database.tables.alarms[$0]?.at }
                )
            }
        }
    }

    public func loadRuns(_ runIDs: [RunID]) throws(CommitError) -> [RunID: RunRow] {
        try database.perform(.loadRuns, session) { () throws(CommitError) in
            var runs: [RunID: RunRow] = [:]
            for id in runIDs { runs[id] = database.tables.runs[id] }
            return runs
        }
    }

    public func activeRuns(shard: Int32, after runID: RunID?, limit: Int) throws(CommitError) -> [RunRow] {
        try database.perform(.activeRuns, session, shard: shard) { () throws(CommitError) in
            var runs: [RunRow] = []
            guard limit > 0 else { return runs }
            let tables = database.tables
            tables.activeAlarms.scan(after: runID ?? RunID(high: 0, low: 0)) { id, alarm in
                if tables.slices[alarm.slice] == shard, let run = tables.runs[id] { runs.append(run) }
                return runs.count < limit
            }
            return runs
        }
    }

    public func parkedRuns(
        shard: Int32,
        before instant: Instant,
        after last: (Instant, RunID)?,
        limit: Int
    ) throws(CommitError) -> [(RunRow, Instant)] {
        try database.perform(.parkedRuns, session, shard: shard) { () throws(CommitError) in
            var runs: [(RunRow, Instant)] = []
            guard limit > 0 else { return runs }
            let (at, id) = last ?? (.distantPast, RunID(high: 0, low: 0))
            let tables = database.tables
            tables.parkedAlarms.scan(after: ParkedPlace(at: at, runID: id)) { place, alarm in
                guard place.at < instant else { return false }
                if tables.slices[alarm.slice] == shard, let run = tables.runs[place.runID] {
                    runs.append((run, place.at))
                }
                return runs.count < limit
            }
            return runs
        }
    }

    /// Tasks that wait since the same instant come in the order in which their rows were written; PostgreSQL promises
    /// none.
    public func waitingTasks(
        shard: Int32,
        queue: String,
        limit: Int
    ) throws(CommitError) -> [(run: RunRow, row: BacklogRow)] {
        try database.perform(.waitingTasks, session, shard: shard) { () throws(CommitError) in
            try CommitError.refuseNul(queue)
            var tasks: [(run: RunRow, row: BacklogRow)] = []
            guard limit > 0 else { return tasks }
            let tables = database.tables
            tables.backlogByQueue[ExactText(queue)]?.scan(after: nil) { _, key in
                if let entry = tables.backlog[key], tables.slices[entry.slice] == shard,
                    let run = tables.runs[key.runID], run.closedAt == nil
                {
                    tasks.append((run, entry.row))
                }
                return tasks.count < limit
            }
            return tasks
        }
    }

    /// In the order of their bytes; PostgreSQL promises none.
    public func waitingQueues(shard: Int32) throws(CommitError) -> [String] {
        try database.perform(.waitingQueues, session, shard: shard) { () throws(CommitError) in
            var queues: [String] = []
            let tables = database.tables
            tables.backlogByQueue.scan(after: nil) { queue, places in
                places.scan(after: nil) { _, key in
                    guard let entry = tables.backlog[key], tables.slices[entry.slice] == shard else { return true }
                    queues.append(queue.text)
                    return false
                }
                return true
            }
            return queues
        }
    }
}
