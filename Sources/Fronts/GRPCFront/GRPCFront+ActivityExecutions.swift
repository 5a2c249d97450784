internal import SagamoreAPI
internal import SagamoreEngine
internal import SagamoreGRPC
internal import SagamoreProtobuf
internal import SagamoreServices

/// What newer clients ask for one activity by its id, in the place of the calls for several: pause, unpause, reset,
/// change of options. An activity without a workflow is none that this service has.
extension GRPCFront {
    func registerActivityExecutions(on server: GRPCServer) {
        register(.pauseActivityExecution, on: server, .hot) {
            [self] (call, request: PauseActivityExecutionRequest) throws(RequestError) in
            try checkSize(request.reason.utf8.count, of: "reason", call)
            operate(call, .pause(reason: request.reason), try target(request)) { _ in [] }
        }
        register(.unpauseActivityExecution, on: server, .hot) {
            [self] (call, request: UnpauseActivityExecutionRequest) throws(RequestError) in
            let operation = ActivityOperation.unpause(
                resetsAttempts: false,
                resetsHeartbeat: false,
                jitter: Interval(request.jitter)
            )
            operate(call, operation, try target(request)) { _ in [] }
        }
        register(.resetActivityExecution, on: server, .hot) {
            [self] (call, request: ResetActivityExecutionRequest) throws(RequestError) in
            let operation = ActivityOperation.reset(
                resetsHeartbeat: request.resetHeartbeat,
                keepsPaused: request.keepPaused,
                restoresOptions: request.restoreOriginalOptions,
                jitter: Interval(request.jitter)
            )
            operate(call, operation, try target(request)) { _ in [] }
        }
        register(.updateActivityExecutionOptions, on: server, .hot) {
            [self] (call, request: UpdateActivityExecutionOptionsRequest) throws(RequestError) in
            let target = try target(request)
            let operation = try Self.change(
                request.activityOptions,
                request.updateMask,
                restoresOriginal: request.restoreOriginal
            )
            operate(call, operation, target) { options in
                var response = UpdateActivityExecutionOptionsResponse()
                response.activityOptions = options
                return response.serializedBytes()
            }
        }
    }

    /// An activity of a workflow, and who asks.
    private struct ActivityTarget {
        let workflow: WorkflowReference
        let activityID: String
        let identity: String
    }

    private func operate(
        _ call: GRPCServerCall,
        _ operation: ActivityOperation,
        _ target: ActivityTarget,
        _ encode: @escaping @Sendable (ActivityOptions?) -> [UInt8]
    ) {
        history.operate(
            operation,
            on: .id(target.activityID),
            of: target.workflow,
            identity: target.identity,
            reply: reply(to: call, encode)
        )
    }

    private func target(_ request: some ActivityExecutionRequest) throws(RequestError) -> ActivityTarget {
        let namespace = try namespace(request.namespace)
        try check(identity: request.identity)
        try checkIdentifier(request.activityID, "ActivityId", missing: "ActivityId is not set on request.", limits)
        guard !request.workflowID.isEmpty else {
            let problem = "activities without a workflow are not available in this version of sagamore"
            throw RequestError(.unimplemented, problem)
        }
        if !request.runID.isEmpty, RunID(request.runID) == nil { throw .invalidArgument("RunId is not valid UUID.") }
        var execution = WorkflowExecution()
        (execution.workflowID, execution.runID) = (request.workflowID, request.runID)
        return ActivityTarget(
            workflow: try workflow(execution, in: namespace.name),
            activityID: request.activityID,
            identity: request.identity
        )
    }
}

/// What these requests have in common.
private protocol ActivityExecutionRequest {
    var namespace: String { get }
    var workflowID: String { get }
    var activityID: String { get }
    var runID: String { get }
    var identity: String { get }
}

extension PauseActivityExecutionRequest: ActivityExecutionRequest {}
extension UnpauseActivityExecutionRequest: ActivityExecutionRequest {}
extension ResetActivityExecutionRequest: ActivityExecutionRequest {}
extension UpdateActivityExecutionOptionsRequest: ActivityExecutionRequest {}
