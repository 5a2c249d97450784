internal import SagamoreAPI
internal import SagamoreEngine
internal import SagamoreProtobuf
internal import SagamoreServices

/// What a batch does to a run.
///
/// It may be done twice when the server ends meanwhile, so requests have ids that the run knows them by.
enum BatchAction: Sendable {
    case terminate(details: RawMessage<Payloads>?)
    case signal(BatchOperationSignal)
    case cancel
    case delete
    /// With what is done to the new run.
    case reset(ResetOptions, [PostResetOperation])
    case updateOptions(BatchOperationUpdateWorkflowExecutionOptions)
    case operate(ActivityOperation, ActivitySelection)

    /// - Throws: `invalidArgument` for an operation that says too little, `unimplemented` for others.
    init(_ request: StartBatchOperationRequest) throws(RequestError) {
        switch request.operation {
        case .terminationOperation(let operation): self = .terminate(details: operation.details)
        case .signalOperation(let operation):
            if operation.signal.isEmpty { throw .invalidArgument("must provide signal name") }
            self = .signal(operation)
        case .cancellationOperation: self = .cancel
        case .deletionOperation: self = .delete
        case .resetOperation(let operation):
            self = .reset(try Self.options(operation), operation.postResetOperations)
        case .updateWorkflowOptionsOperation(let operation):
            if operation.workflowExecutionOptions == nil { throw .invalidArgument("must provide UpdateOptions") }
            if operation.updateMask == nil { throw .invalidArgument("must provide UpdateMask") }
            self = .updateOptions(operation)
        case .unpauseActivitiesOperation(let operation):
            let selection: ActivitySelection
            switch operation.activity {
            case .type(let type): selection = .type(type)
            case .matchAll: selection = .all
            case nil: throw .invalidArgument("activity filter must be set")
            }
            self = .operate(
                .unpause(
                    resetsAttempts: operation.resetAttempts,
                    resetsHeartbeat: operation.resetHeartbeat,
                    jitter: Interval(operation.jitter)
                ),
                selection
            )
        case .resetActivitiesOperation(let operation):
            let selection: ActivitySelection
            switch operation.activity {
            case .type(let type): selection = .type(type)
            case .matchAll: selection = .all
            case nil: throw .invalidArgument("must provide ActivityType or MatchAll")
            }
            self = .operate(
                .reset(
                    resetsHeartbeat: operation.resetHeartbeat,
                    keepsPaused: operation.keepPaused,
                    restoresOptions: operation.restoreOriginalOptions,
                    jitter: Interval(operation.jitter)
                ),
                selection
            )
        case .updateActivityOptionsOperation(let operation): self = try Self.changing(operation)
        case nil: throw .invalidArgument("the operation is not set")
        default:
            throw RequestError(.unimplemented, "this operation is not available in this version of sagamore")
        }
    }

    private static func options(_ operation: BatchOperationReset) throws(RequestError) -> ResetOptions {
        if let options = operation.options {
            switch options.target {
            case .firstWorkflowTask, .lastWorkflowTask, .workflowTaskID, .buildID: return options
            case nil: throw .invalidArgument("batch reset missing target")
            }
        }
        var options = ResetOptions()
        switch operation.resetType {
        case .firstWorkflowTask: options.target = .firstWorkflowTask(ProtobufEmpty())
        case .lastWorkflowTask: options.target = .lastWorkflowTask(ProtobufEmpty())
        case .unspecified: throw .invalidArgument("unknown batch reset type Unspecified")
        default: throw .invalidArgument("unknown batch reset type \(operation.resetType.rawValue)")
        }
        options.resetReapplyType = operation.resetReapplyType
        return options
    }

    private static func changing(_ operation: BatchOperationUpdateActivityOptions) throws(RequestError) -> BatchAction {
        let selection: ActivitySelection
        switch operation.activity {
        case .type(let type): selection = .type(type)
        case .matchAll: selection = .all
        case nil: throw .invalidArgument("must provide ActivityType or MatchAll")
        }
        if operation.restoreOriginal {
            if operation.activityOptions != nil {
                throw .invalidArgument("cannot set both activity options and restore original")
            }
            return .operate(.restoreOptions, selection)
        }
        guard let options = operation.activityOptions else {
            throw .invalidArgument("Either activity type must be set, or restore original should be set to true")
        }
        guard let mask = operation.updateMask else { throw .invalidArgument("must provide UpdateMask") }
        return .operate(.changeOptions(options, mask: mask.paths), selection)
    }
}
