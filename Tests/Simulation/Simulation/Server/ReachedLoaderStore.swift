internal import SagamoreEngine
internal import SagamorePersistence

/// The store of a loader in one life of a server; see `ReachedLaneStore`.
class ReachedLoaderStore: LoaderStore {
    private let store: any LoaderStore
    private let life: ServerLife

    init(_ store: any LoaderStore, _ life: ServerLife) {
        self.store = store
        self.life = life
    }

    func sliceTable() throws(CommitError) -> SliceTable {
        try life.call { () throws(CommitError) in try store.sliceTable() }
    }

    func lookUp(_ questions: [LookUp]) throws(CommitError) -> [LookUpAnswer] {
        life.work?.lookedUp(questions.count)
        return try life.call { () throws(CommitError) in try store.lookUp(questions) }
    }

    func loadJournals(
        _ runIDs: [RunID],
        after position: JournalPosition,
        byteLimit: Int
    ) throws(CommitError) -> JournalPage {
        let page = try life.call { () throws(CommitError) in
            try store.loadJournals(runIDs, after: position, byteLimit: byteLimit)
        }
        life.work?.read(page)
        return page
    }

    func journalContains(_ bytes: [UInt8], of runID: RunID) throws(CommitError) -> Bool {
        try life.call { () throws(CommitError) in try store.journalContains(bytes, of: runID) }
    }

    func historyContains(_ bytes: [UInt8], of runID: RunID) throws(CommitError) -> Bool {
        try life.call { () throws(CommitError) in try store.historyContains(bytes, of: runID) }
    }

    func loadHeartbeats(
        _ runIDs: [RunID],
        after position: HeartbeatPosition,
        byteLimit: Int
    ) throws(CommitError) -> HeartbeatPage {
        let page = try life.call { () throws(CommitError) in
            try store.loadHeartbeats(runIDs, after: position, byteLimit: byteLimit)
        }
        life.work?.read(page)
        return page
    }

    func retentions() throws(CommitError) -> [Int32: Interval] {
        try life.call { () throws(CommitError) in try store.retentions() }
    }

    func deleteRuns(
        shard: Int32,
        of namespaces: [Int32],
        closedBefore: Instant,
        after first: RunID,
        before end: RunID,
        limit: Int
    ) throws(CommitError) -> RunID? {
        try life.call { () throws(CommitError) in
            try store.deleteRuns(
                shard: shard,
                of: namespaces,
                closedBefore: closedBefore,
                after: first,
                before: end,
                limit: limit
            )
        }
    }

    func eraseDeletedRuns(shard: Int32, limit: ErasureLimit) throws(CommitError) -> Bool {
        try life.call { () throws(CommitError) in try store.eraseDeletedRuns(shard: shard, limit: limit) }
    }

    func deleteTraces(before instant: Instant, limit: Int) throws(CommitError) -> Int {
        try life.call { () throws(CommitError) in try store.deleteTraces(before: instant, limit: limit) }
    }

    func loadRuns(_ runIDs: [RunID]) throws(CommitError) -> [RunID: RunRow] {
        life.work?.listed(runIDs.count)
        return try life.call { () throws(CommitError) in try store.loadRuns(runIDs) }
    }

    func resetRun(of runID: RunID) throws(CommitError) -> RunID? {
        try life.call { () throws(CommitError) in try store.resetRun(of: runID) }
    }

    func activeRuns(shard: Int32, after runID: RunID?, limit: Int) throws(CommitError) -> [RunRow] {
        let runs = try life.call { () throws(CommitError) in
            try store.activeRuns(shard: shard, after: runID, limit: limit)
        }
        life.work?.listed(runs.count)
        return runs
    }

    func parkedRuns(
        shard: Int32,
        before instant: Instant,
        after last: (Instant, RunID)?,
        limit: Int
    ) throws(CommitError) -> [(RunRow, Instant)] {
        let runs = try life.call { () throws(CommitError) in
            try store.parkedRuns(shard: shard, before: instant, after: last, limit: limit)
        }
        life.work?.listed(runs.count)
        return runs
    }

    func waitingTasks(
        shard: Int32,
        queue: String,
        limit: Int
    ) throws(CommitError) -> [(run: RunRow, row: BacklogRow)] {
        let tasks = try life.call { () throws(CommitError) in
            try store.waitingTasks(shard: shard, queue: queue, limit: limit)
        }
        life.work?.pagedIn(tasks.count)
        return tasks
    }

    func waitingQueues(shard: Int32) throws(CommitError) -> [String] {
        try life.call { () throws(CommitError) in try store.waitingQueues(shard: shard) }
    }

    func readHistory(
        _ runID: RunID,
        of workflow: WorkflowKey,
        from eventID: Int64,
        byteLimit: Int
    ) throws(CommitError) -> [JournalRow] {
        try life.call { () throws(CommitError) in
            try store.readHistory(runID, of: workflow, from: eventID, byteLimit: byteLimit)
        }
    }

    func readHistory(
        _ runID: RunID,
        of workflow: WorkflowKey,
        backFrom eventID: Int64,
        byteLimit: Int
    ) throws(CommitError) -> [JournalRow] {
        try life.call { () throws(CommitError) in
            try store.readHistory(runID, of: workflow, backFrom: eventID, byteLimit: byteLimit)
        }
    }
}
