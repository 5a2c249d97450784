internal import SagamoreAPI
internal import SagamoreEngine
internal import SagamoreGRPC
internal import SagamoreProtobuf
internal import SagamoreServices

/// What operators do to pending activities: pause, unpause, reset, change of options.
extension GRPCFront {
    func registerActivityOperations(on server: GRPCServer) {
        register(.pauseActivity, on: server, .hot) {
            [self] (call, request: PauseActivityRequest) throws(RequestError) in
            try checkSize(request.reason.utf8.count, of: "reason", call)
            try operate(call, .pause(reason: request.reason), Target(request))
        }
        register(.unpauseActivity, on: server, .hot) {
            [self] (call, request: UnpauseActivityRequest) throws(RequestError) in
            let operation = ActivityOperation.unpause(
                resetsAttempts: request.resetAttempts,
                resetsHeartbeat: request.resetHeartbeat,
                jitter: Interval(request.jitter)
            )
            try operate(call, operation, Target(request))
        }
        register(.resetActivity, on: server, .hot) {
            [self] (call, request: ResetActivityRequest) throws(RequestError) in
            let operation = ActivityOperation.reset(
                resetsHeartbeat: request.resetHeartbeat,
                keepsPaused: request.keepPaused,
                restoresOptions: request.restoreOriginalOptions,
                jitter: Interval(request.jitter)
            )
            try operate(call, operation, Target(request))
        }
        register(.updateActivityOptions, on: server, .hot) {
            [self] (call, request: UpdateActivityOptionsRequest) throws(RequestError) in
            try updateOptions(call, request)
        }
    }

    private func updateOptions(
        _ call: GRPCServerCall,
        _ request: UpdateActivityOptionsRequest
    ) throws(RequestError) {
        let target = Target(request)
        let (workflow, selection) = try resolve(target)
        let operation = try Self.change(
            request.activityOptions,
            request.updateMask,
            restoresOriginal: request.restoreOriginal
        )
        history.operate(
            operation,
            on: selection,
            of: workflow,
            identity: target.identity,
            reply: reply(to: call) { options in
                var response = UpdateActivityOptionsResponse()
                response.activityOptions = options
                return response.serializedBytes()
            }
        )
    }

    /// - Throws: `invalidArgument` for a change that says too little, or too much.
    static func change(
        _ options: ActivityOptions?,
        _ mask: ProtobufFieldMask?,
        restoresOriginal: Bool
    ) throws(RequestError) -> ActivityOperation {
        if restoresOriginal {
            if mask?.paths.isEmpty == false {
                throw .invalidArgument("Both UpdateMask and RestoreOriginal are provided")
            }
            return .restoreOptions
        }
        guard let options else { throw .invalidArgument("ActivityOptions are not provided") }
        guard let mask else { throw .invalidArgument("UpdateMask is not provided") }
        return .changeOptions(options, mask: mask.paths)
    }

    private func operate(
        _ call: GRPCServerCall,
        _ operation: ActivityOperation,
        _ target: Target
    ) throws(RequestError) {
        let (workflow, selection) = try resolve(target)
        history.operate(
            operation,
            on: selection,
            of: workflow,
            identity: target.identity,
            reply: reply(to: call) { _ in [] }
        )
    }

    private func resolve(_ target: Target) throws(RequestError) -> (WorkflowReference, ActivitySelection) {
        let namespace = try self.namespace(target.namespace)
        try check(identity: target.identity)
        if let runID = target.execution?.runID, !runID.isEmpty, RunID(runID) == nil {
            throw .invalidArgument("RunId is not valid UUID.")
        }
        let workflow = try workflow(target.execution ?? WorkflowExecution(), in: namespace.name)
        guard let selection = target.selection else {
            throw .invalidArgument("Either Activity.Id or Activity.Type should be set on request.")
        }
        return (workflow, selection)
    }
}

/// Whose activities a request means, and which.
private struct Target {
    let namespace: String
    let execution: WorkflowExecution?
    let identity: String
    let selection: ActivitySelection?

    init(_ request: PauseActivityRequest) {
        (namespace, execution, identity) = (request.namespace, request.execution, request.identity)
        selection =
            switch request.activity {
            case .id(let id): .id(id)
            case .type(let type): .type(type)
            case nil: nil
            }
    }

    init(_ request: UnpauseActivityRequest) {
        (namespace, execution, identity) = (request.namespace, request.execution, request.identity)
        selection =
            switch request.activity {
            case .id(let id): .id(id)
            case .type(let type): .type(type)
            case .unpauseAll(let isAll): isAll ? .all : nil
            case nil: nil
            }
    }

    init(_ request: ResetActivityRequest) {
        (namespace, execution, identity) = (request.namespace, request.execution, request.identity)
        selection =
            switch request.activity {
            case .id(let id): .id(id)
            case .type(let type): .type(type)
            case .matchAll(let isAll): isAll ? .all : nil
            case nil: nil
            }
    }

    init(_ request: UpdateActivityOptionsRequest) {
        (namespace, execution, identity) = (request.namespace, request.execution, request.identity)
        selection =
            switch request.activity {
            case .id(let id): .id(id)
            case .type(let type): .type(type)
            case .matchAll(let isAll): isAll ? .all : nil
            case nil: nil
            }
    }
}
