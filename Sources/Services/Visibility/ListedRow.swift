internal import SagamoreAPI
internal import SagamoreEngine
internal import SagamoreJSONText
internal import SagamorePostgresClient
internal import SagamoreProtobuf

/// A row of a list: the columns of `ListQuery`.
struct ListedRow {
    private let rows: PostgresResult
    private let row: Int

    init(_ rows: PostgresResult, _ row: Int) {
        self.rows = rows
        self.row = row
    }

    private func id(_ column: Int) -> RunID? {
        guard !rows.isNull(row, column) else { return nil }
        let id = rows.uuid(row, column)
        return RunID(high: id.0, low: id.1)
    }

    private var runID: RunID { id(0) ?? RunID(high: 0, low: 0) }
    private var startedAt: Instant { Instant(nanoseconds: rows.int64(row, 5)) }
    private var closedAt: Instant? { rows.optionalInt64(row, 6).map { Instant(nanoseconds: $0) } }

    /// The end of a page that ends with this row.
    func token(_ field: FilterField?) -> PageToken {
        PageToken(key: field.flatMap(key), runID: runID)
    }

    private static let keyColumn = 21

    private func key(_ field: FilterField) -> FilterValue? {
        let column = Self.keyColumn
        guard !rows.isNull(row, column) else { return nil }
        switch field.kind {
        case .keyword, .keywordList, .text: return .text(rows.text(row, column))
        case .runID: return id(column).map { .runID($0) }
        case .double: return Double(rows.text(row, column)).map { .fraction($0) }
        case .int, .bool, .time, .duration, .status: return .int(rows.int64(row, column))
        }
    }

    /// The run as lists show it. Counts and sizes are known once it has closed.
    func information(_ catalog: SearchAttributeCatalog) -> WorkflowExecutionInfo {
        var information = WorkflowExecutionInfo()
        let execution = reference(rows.text(row, 1), runID)
        information.execution = execution
        var type = WorkflowType()
        type.name = rows.text(row, 2)
        information.type = type
        information.taskQueue = rows.text(row, 3)
        information.status = WorkflowExecutionStatus(rawValue: rows.int32(row, 4))
        information.startTime = startedAt.timestamp
        let executionAt = rows.optionalInt64(row, 7).map { Instant(nanoseconds: $0) } ?? startedAt
        information.executionTime = executionAt.timestamp
        if let closedAt {
            information.closeTime = closedAt.timestamp
            information.executionDuration = (closedAt - executionAt).duration
            information.historyLength = rows.int64(row, 8)
            information.historySizeBytes = rows.int64(row, 9)
            information.stateTransitionCount = rows.optionalInt64(row, 10) ?? 0
        }
        if let parent = rows.optionalText(row, 11), let run = id(12) {
            information.parentExecution = reference(parent, run)
        }
        information.rootExecution = execution
        if let root = rows.optionalText(row, 13), let run = id(14) { information.rootExecution = reference(root, run) }
        information.memo = RawMessage(uncheckedBytes: rows.optionalBytes(row, 15) ?? [])
        information.searchAttributes = shownAttributes(catalog)
        return information
    }

    private func shownAttributes(_ catalog: SearchAttributeCatalog) -> RawMessage<SearchAttributes> {
        let stored = rows.optionalBytes(row, 16) ?? []
        var attributes = (try? SearchAttributes(serializedBytes: stored)) ?? SearchAttributes()
        // Of a saga that compensates, or has: clients show these as they show all others.
        for (name, column) in [("SagaStatus", 17), ("SagaStep", 18)] {
            guard let value = rows.optionalText(row, column) else { continue }
            let json = JSONValue.string(value).serialize()
            attributes.indexedFields[name] = Payload(searchAttribute: json, type: .keyword)
        }
        for (name, column) in [("BuildIds", 19), ("BinaryChecksums", 20)] {
            guard let list = rows.optionalText(row, column) else { continue }
            attributes.indexedFields[name] = Payload(searchAttribute: Array(list.utf8), type: .keywordList)
        }
        return attributes.indexedFields.isEmpty ? RawMessage() : RawMessage(catalog.shown(attributes))
    }

    private func reference(_ workflowID: String, _ runID: RunID) -> WorkflowExecution {
        var execution = WorkflowExecution()
        execution.workflowID = workflowID
        execution.runID = runID.description
        return execution
    }
}
