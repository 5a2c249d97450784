public import SagamoreEngine
public import SagamorePersistence
internal import SagamoreProtobuf

extension SimulatedLoaderStore {
    /// The most rows of a page, as in PostgreSQL's statements.
    private static let pageRowLimit = 50_000
    private static let historyRowLimit = 4_096

    public func loadJournals(
        _ runIDs: [RunID],
        after position: JournalPosition,
        byteLimit: Int
    ) throws(CommitError) -> JournalPage {
        try database.perform(.loadJournals, session) { () throws(CommitError) in
            let tables = database.tables
            var parts: [JournalPart] = []
            var bytes = 0
            /// A run that is asked for twice has each part twice. Returns false once the page is full.
            func append(_ part: JournalPart, _ times: Int) -> Bool {
                for _ in 0..<times {
                    guard bytes < byteLimit, parts.count < Self.pageRowLimit else { return false }
                    parts.append(part)
                    bytes += part.byteCount
                }
                return true
            }
            let ids = runIDs.sorted()
            var next = ids.firstPlace { $0 >= position.runID }
            scan: while next < ids.count {
                let id = ids[next]
                let times = ids[next...].prefix { $0 == id }.count
                next += times
                let last = id == position.runID ? position.sequence : 0
                let snapshot = tables.snapshots[id]
                if let snapshot, snapshot.sequence > last, !append(.snapshot(snapshot), times) { break scan }
                let covered = max(snapshot?.sequence ?? last, last)
                let rows = tables.journal[id] ?? []
                for row in rows[rows.firstPlace { $0.sequence > covered }...] where !append(.row(row), times) {
                    break scan
                }
            }
            return JournalPage(parts: parts, isLast: bytes < byteLimit && parts.count < Self.pageRowLimit)
        }
    }

    public func historyContains(_ bytes: [UInt8], of runID: RunID) throws(CommitError) -> Bool {
        try database.perform(.historyContains, session) { () throws(CommitError) in
            database.tables.journal[runID]?.contains { $0.events.contains(bytes) } ?? false
        }
    }

    public func journalContains(_ bytes: [UInt8], of runID: RunID) throws(CommitError) -> Bool {
        try database.perform(.journalContains, session) { () throws(CommitError) in
            let tables = database.tables
            return tables.snapshots[runID]?.state.contains(bytes) ?? false
                || tables.journal[runID]?.contains { $0.facts.contains(bytes) } ?? false
        }
    }

    public func loadHeartbeats(
        _ runIDs: [RunID],
        after position: HeartbeatPosition,
        byteLimit: Int
    ) throws(CommitError) -> HeartbeatPage {
        try database.perform(.loadHeartbeats, session) { () throws(CommitError) in
            let tables = database.tables
            var rows: [HeartbeatRow] = []
            var bytes = 0
            var previous: RunID?
            scan: for id in runIDs.sorted() where id >= position.runID && id != previous {
                previous = id
                for row in tables.heartbeats[id] ?? [] {
                    if id == position.runID, row.scheduledEventID <= position.scheduledEventID { continue }
                    guard bytes < byteLimit, rows.count < Self.pageRowLimit else { break scan }
                    rows.append(row)
                    bytes += row.details.count
                }
            }
            return HeartbeatPage(rows: rows, isLast: bytes < byteLimit && rows.count < Self.pageRowLimit)
        }
    }

    public func readHistory(
        _ runID: RunID,
        of workflow: WorkflowKey,
        from eventID: Int64,
        byteLimit: Int
    ) throws(CommitError) -> [JournalRow] {
        try database.perform(.readHistory, session) { () throws(CommitError) in
            try CommitError.refuseNul(workflow.workflowID)
            let tables = database.tables
            guard let run = tables.runs[runID], run.key == workflow, !run.isDeleted,
                let journal = tables.journal[runID]
            else { return [] }
            let start = journal.last { $0.firstEventID <= eventID && !$0.events.isEmpty }?.sequence ?? 0
            var rows: [JournalRow] = []
            var bytes = 0
            for row in journal[journal.firstPlace { $0.sequence >= start }...] where !row.events.isEmpty {
                guard bytes < byteLimit, rows.count < Self.historyRowLimit else { break }
                bytes += row.events.count
                var events = row
                events.facts = []
                rows.append(events)
            }
            return rows
        }
    }

    public func readHistory(
        _ runID: RunID,
        of workflow: WorkflowKey,
        backFrom eventID: Int64,
        byteLimit: Int
    ) throws(CommitError) -> [JournalRow] {
        try database.perform(.readHistory, session) { () throws(CommitError) in
            try CommitError.refuseNul(workflow.workflowID)
            let tables = database.tables
            guard let run = tables.runs[runID], run.key == workflow, !run.isDeleted,
                let journal = tables.journal[runID]
            else { return [] }
            var rows: [JournalRow] = []
            var bytes = 0
            for row in journal.reversed() where !row.events.isEmpty && row.firstEventID <= eventID {
                guard bytes < byteLimit, rows.count < Self.historyRowLimit else { break }
                bytes += row.events.count
                var events = row
                events.facts = []
                rows.append(events)
            }
            return rows
        }
    }
}

extension [UInt8] {
    /// Whether the bytes stand in here in a row. No bytes stand everywhere.
    fileprivate func contains(_ bytes: [UInt8]) -> Bool {
        guard let first = bytes.first else { return true }
        guard count >= bytes.count else { return false }
        return (0...(count - bytes.count)).contains { start in
            self[start] == first && self[start..<start + bytes.count].elementsEqual(bytes)
        }
    }
}
