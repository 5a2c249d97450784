internal import SagamoreEngine

/// What a filter can name: a column of a run, or a search attribute.
enum FilterField: Sendable, Equatable {
    case column(FilterColumn)
    case attribute(SearchAttribute)

    /// The name as in filters.
    var name: String {
        switch self {
        case .column(let column): column.rawValue
        case .attribute(let attribute): attribute.name
        }
    }

    /// What its values are.
    var kind: FilterKind {
        switch self {
        case .column(let column): column.kind
        case .attribute(let attribute): FilterKind(attribute.type)
        }
    }
}

/// What the values of a field are.
enum FilterKind: Sendable, Equatable {
    /// A text that is compared as a whole, by its bytes.
    case keyword
    /// Several of them: a comparison holds if it holds for one.
    case keywordList
    /// The words of a text: equality holds if they have one in common.
    case text
    case int
    case double
    case bool
    /// Nanoseconds since 1970.
    case time
    /// Nanoseconds.
    case duration
    /// Whether a run is open, and how it closed.
    case status
    /// The id of a run.
    case runID

    init(_ type: SearchAttributeType) {
        self =
            switch type {
            case .text: .text
            case .keyword: .keyword
            case .int: .int
            case .double: .double
            case .bool: .bool
            case .datetime: .time
            case .keywordList: .keywordList
            }
    }
}

/// What the server maintains of every run. The raw value is the name in filters.
enum FilterColumn: String, Sendable, CaseIterable {
    case workflowID = "WorkflowId"
    case runID = "RunId"
    case workflowType = "WorkflowType"
    case status = "ExecutionStatus"
    case startTime = "StartTime"
    case closeTime = "CloseTime"
    case executionTime = "ExecutionTime"
    case duration = "ExecutionDuration"
    case historyLength = "HistoryLength"
    case historyBytes = "HistorySizeBytes"
    case transitions = "StateTransitionCount"
    case taskQueue = "TaskQueue"
    case parentWorkflowID = "ParentWorkflowId"
    case parentRunID = "ParentRunId"
    case rootWorkflowID = "RootWorkflowId"
    case rootRunID = "RootRunId"
    case commandID = "CommandId"
    case sagaStatus = "SagaStatus"
    case sagaStep = "SagaStep"
    case buildIDs = "BuildIds"
    case binaryChecksums = "BinaryChecksums"

    /// What its values are.
    var kind: FilterKind {
        switch self {
        case .workflowID, .workflowType, .taskQueue, .parentWorkflowID, .rootWorkflowID, .commandID, .sagaStatus,
            .sagaStep:
            .keyword
        case .buildIDs, .binaryChecksums: .keywordList
        case .runID, .parentRunID, .rootRunID: .runID
        case .status: .status
        case .startTime, .closeTime, .executionTime: .time
        case .duration: .duration
        case .historyLength, .historyBytes, .transitions: .int
        }
    }
}
