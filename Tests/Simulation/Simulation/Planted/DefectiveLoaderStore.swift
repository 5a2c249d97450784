internal import SagamoreEngine
internal import SagamorePersistence

/// A loader's store with a planted defect.
final class DefectiveLoaderStore: LoaderStore {
    private let store: any LoaderStore
    private let defect: PlantedDefect
    /// The newest runs of workflows, as the look-ups before this one found them.
    private var earlier: [LookUp: RunRow] = [:]

    init(_ store: any LoaderStore, _ defect: PlantedDefect) {
        self.store = store
        self.defect = defect
    }

    func lookUp(_ questions: [LookUp]) throws(CommitError) -> [LookUpAnswer] {
        let answers = try store.lookUp(questions)
        switch defect {
        case .requestForgotten:
            return answers.map { LookUpAnswer(run: $0.run.map(Self.withoutRequest), isKnownCommand: $0.isKnownCommand) }
        case .staleRunTaken:
            return zip(questions, answers).map { question, answer in
                let workflow = LookUp(key: question.key, commandID: "")
                guard let run = answer.run, let old = earlier.updateValue(run, forKey: workflow) else { return answer }
                return LookUpAnswer(run: old, isKnownCommand: answer.isKnownCommand)
            }
        default: return answers
        }
    }

    private static func withoutRequest(_ row: RunRow) -> RunRow {
        RunRow(
            runID: row.runID,
            key: row.key,
            workflowType: row.workflowType,
            taskQueue: row.taskQueue,
            startRequestID: "",
            status: row.status,
            startedAt: row.startedAt,
            closedAt: row.closedAt,
            historyLength: row.historyLength,
            historyBytes: row.historyBytes
        )
    }

    func loadJournals(
        _ runIDs: [RunID],
        after position: JournalPosition,
        byteLimit: Int
    ) throws(CommitError) -> JournalPage {
        let page = try store.loadJournals(runIDs, after: position, byteLimit: byteLimit)
        guard defect == .bufferedEventDropped else { return page }
        return JournalPage(parts: page.parts.map(Self.withoutBufferedEvents), isLast: page.isLast)
    }

    private static func withoutBufferedEvents(_ part: JournalPart) -> JournalPart {
        guard case .row(var row) = part, let facts = try? FactCoding.decode(row.facts) else { return part }
        row.facts = facts.flatMap { recorded -> [UInt8] in
            if case .eventBuffered = recorded.fact { return [] }
            return recorded.frame
        }
        return .row(row)
    }

    func activeRuns(shard: Int32, after runID: RunID?, limit: Int) throws(CommitError) -> [RunRow] {
        let runs = try store.activeRuns(shard: shard, after: runID, limit: limit)
        // The first one of each page that has more.
        return defect == .activeRunForgotten && runs.count > 1 ? Array(runs.dropFirst()) : runs
    }

    func sliceTable() throws(CommitError) -> SliceTable { try store.sliceTable() }

    func journalContains(_ bytes: [UInt8], of runID: RunID) throws(CommitError) -> Bool {
        try store.journalContains(bytes, of: runID)
    }

    func loadHeartbeats(
        _ runIDs: [RunID],
        after position: HeartbeatPosition,
        byteLimit: Int
    ) throws(CommitError) -> HeartbeatPage {
        let page = try store.loadHeartbeats(runIDs, after: position, byteLimit: byteLimit)
        return defect == .heartbeatForgotten ? HeartbeatPage(rows: [], isLast: page.isLast) : page
    }

    func retentions() throws(CommitError) -> [Int32: Interval] { try store.retentions() }

    func deleteRuns(
        shard: Int32,
        of namespaces: [Int32],
        closedBefore: Instant,
        after first: RunID,
        before end: RunID,
        limit: Int
    ) throws(CommitError) -> RunID? {
        try store.deleteRuns(
            shard: shard,
            of: namespaces,
            closedBefore: closedBefore,
            after: first,
            before: end,
            limit: limit
        )
    }

    func deleteTraces(before instant: Instant, limit: Int) throws(CommitError) -> Int {
        try store.deleteTraces(before: instant, limit: limit)
    }

    func loadRuns(_ runIDs: [RunID]) throws(CommitError) -> [RunID: RunRow] { try store.loadRuns(runIDs) }

    func parkedRuns(
        shard: Int32,
        before instant: Instant,
        after last: (Instant, RunID)?,
        limit: Int
    ) throws(CommitError) -> [(RunRow, Instant)] {
        try store.parkedRuns(shard: shard, before: instant, after: last, limit: limit)
    }

    func waitingTasks(
        shard: Int32,
        queue: String,
        limit: Int
    ) throws(CommitError) -> [(run: RunRow, row: BacklogRow)] {
        try store.waitingTasks(shard: shard, queue: queue, limit: limit)
    }

    func readHistory(
        _ runID: RunID,
        of workflow: WorkflowKey,
        from eventID: Int64,
        byteLimit: Int
    ) throws(CommitError) -> [JournalRow] {
        try store.readHistory(runID, of: workflow, from: eventID, byteLimit: byteLimit)
    }

    func waitingQueues(shard: Int32) throws(CommitError) -> [String] { try store.waitingQueues(shard: shard) }
}
