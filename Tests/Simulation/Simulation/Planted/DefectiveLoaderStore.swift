internal import SagamoreEngine
internal import SagamorePersistence

/// A loader's store with a planted defect.
final class DefectiveLoaderStore: ReachedLoaderStore {
    private let defect: PlantedDefect
    /// The newest runs of workflows, as the first look-ups found them.
    private var first: [LookUp: RunRow] = [:]

    init(_ store: any LoaderStore, _ life: ServerLife, _ defect: PlantedDefect) {
        self.defect = defect
        super.init(store, life)
    }

    override func lookUp(_ questions: [LookUp]) throws(CommitError) -> [LookUpAnswer] {
        let answers = try super.lookUp(questions)
        switch defect {
        case .requestForgotten:
            return answers.map { answer in
                let run = answer.run.map(Self.withoutRequest)
                return LookUpAnswer(run: run, isKnownCommand: answer.isKnownCommand, alarm: answer.alarm)
            }
        case .staleRunTaken:
            return zip(questions, answers).map { question, answer in
                let workflow = LookUp(key: question.key, commandID: "")
                guard let run = answer.run else { return answer }
                let old = first[workflow] ?? run
                first[workflow] = old
                return LookUpAnswer(run: old, isKnownCommand: answer.isKnownCommand, alarm: answer.alarm)
            }
        case .activeRunTakenForParked:
            return answers.map { answer in
                let alarm = answer.alarm ?? .distantFuture
                return LookUpAnswer(run: answer.run, isKnownCommand: answer.isKnownCommand, alarm: alarm)
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

    override func loadJournals(
        _ runIDs: [RunID],
        after position: JournalPosition,
        byteLimit: Int
    ) throws(CommitError) -> JournalPage {
        let page = try super.loadJournals(runIDs, after: position, byteLimit: byteLimit)
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

    override func activeRuns(shard: Int32, after runID: RunID?, limit: Int) throws(CommitError) -> [RunRow] {
        let runs = try super.activeRuns(shard: shard, after: runID, limit: limit)
        // The first one of each page that has more.
        return defect == .activeRunForgotten && runs.count > 1 ? Array(runs.dropFirst()) : runs
    }

    override func loadHeartbeats(
        _ runIDs: [RunID],
        after position: HeartbeatPosition,
        byteLimit: Int
    ) throws(CommitError) -> HeartbeatPage {
        let page = try super.loadHeartbeats(runIDs, after: position, byteLimit: byteLimit)
        return defect == .heartbeatForgotten ? HeartbeatPage(rows: [], isLast: page.isLast) : page
    }
}
