internal import SagamoreAPI
internal import SagamoreEngine

/// A batch as it is stored. What it is to do never changes; how far it is changes with each page.
struct BatchJob: Sendable {
    /// Whose runs.
    let namespace: Int32
    /// The id that its caller chose, unique in the namespace.
    let id: String
    /// What it is to do.
    let request: StartBatchOperationRequest
    /// When it began.
    let startedAt: Instant
    /// When it ended; nil while it runs.
    var closedAt: Instant?
    var state = BatchOperationState.running
    /// How many runs it is about, as far as that was known when it began.
    var total: Int64 = 0
    var completed: Int64 = 0
    var failed: Int64 = 0
    /// Where the next page begins: a token of the list, or the number of the next execution.
    var cursor: [UInt8] = []
    /// Why it was stopped, or has failed.
    var ending = ""

    /// What it is known by.
    struct Name: Hashable {
        let namespace: Int32
        let id: String
    }

    var name: Name { Name(namespace: namespace, id: id) }

    /// The type of its operation.
    var type: BatchOperationType {
        switch request.operation {
        case .terminationOperation: .terminateWorkflow
        case .signalOperation: .signalWorkflow
        case .cancellationOperation: .cancelWorkflow
        case .deletionOperation: .deleteWorkflow
        case .resetOperation: .resetWorkflow
        case .updateWorkflowOptionsOperation: .updateWorkflowExecutionOptions
        case .unpauseActivitiesOperation: .unpauseActivity
        case .resetActivitiesOperation: .resetActivity
        case .updateActivityOptionsOperation: .updateActivityOptions
        default: .unspecified
        }
    }

    /// The filter of its runs. What only open runs can be asked for is asked of them alone.
    var query: String {
        switch request.operation {
        case .terminationOperation, .signalOperation, .cancellationOperation:
            "ExecutionStatus = 'Running' AND (\(request.visibilityQuery))"
        default: request.visibilityQuery
        }
    }

    /// Who asked for it.
    var identity: String {
        switch request.operation {
        case .terminationOperation(let operation): operation.identity
        case .signalOperation(let operation): operation.identity
        case .cancellationOperation(let operation): operation.identity
        case .deletionOperation(let operation): operation.identity
        case .resetOperation(let operation): operation.identity
        case .updateWorkflowOptionsOperation(let operation): operation.identity
        case .unpauseActivitiesOperation(let operation): operation.identity
        case .resetActivitiesOperation(let operation): operation.identity
        case .updateActivityOptionsOperation(let operation): operation.identity
        default: ""
        }
    }

    /// As DescribeBatchOperation shows it.
    var description: DescribeBatchOperationResponse {
        var response = DescribeBatchOperationResponse()
        response.operationType = type
        response.jobID = id
        response.state = state
        response.startTime = startedAt.timestamp
        response.closeTime = closedAt?.timestamp
        response.totalOperationCount = total
        response.completeOperationCount = completed
        response.failureOperationCount = failed
        response.identity = identity
        response.reason = request.reason
        response.query = request.visibilityQuery
        return response
    }

    /// As ListBatchOperations shows it.
    var information: BatchOperationInfo {
        var information = BatchOperationInfo()
        information.jobID = id
        information.state = state
        information.startTime = startedAt.timestamp
        information.closeTime = closedAt?.timestamp
        information.operationType = type
        return information
    }
}
