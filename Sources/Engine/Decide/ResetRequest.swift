public import SagamoreAPI
public import SagamoreProtobuf

/// A reset, validated: another run repeats the history of a run up to a workflow task, and goes on from there.
public final class ResetRequest: Sendable {
    /// Why, for the failure of the workflow task and the end of the run that is replaced.
    public let reason: String
    /// The id of the request, for deduplication.
    public let requestID: String
    /// The first event of the run that is not repeated.
    public let eventID: Int64
    /// What is not applied to the new run again.
    let excluded: Set<ResetReapplyExcludeType>
    /// The options that the new run gets besides.
    let options: [ExecutionOptionsRequest]

    /// Validates a reset.
    ///
    /// - Throws: `invalidArgument` naming the field, `unimplemented` for what needs versioning.
    public init(_ request: ResetWorkflowExecutionRequest, limits: Limits) throws(RequestError) {
        try checkIdentifier(request.requestID, "RequestId", missing: "RequestId is not set on request.", limits)
        try checkSize(request.reason.utf8.count, limits)
        reason = request.reason
        requestID = request.requestID
        eventID = request.workflowTaskFinishEventID
        var excluded = Set(request.resetReapplyExcludeTypes)
        switch request.resetReapplyType {
        case .signal: excluded.insert(.update)
        case .none: excluded.formUnion([.signal, .update])
        default: break
        }
        self.excluded = excluded
        var options: [ExecutionOptionsRequest] = []
        for operation in request.postResetOperations {
            switch operation.variant {
            case .updateWorkflowOptions(let update):
                options.append(
                    try ExecutionOptionsRequest(
                        update.workflowExecutionOptions,
                        paths: update.updateMask?.paths ?? [],
                        identity: request.identity,
                        limits: limits
                    )
                )
            case .signalWorkflow: throw .unsupportedPostResetOperation("*workflow.PostResetOperation_SignalWorkflow_")
            case nil: throw .unsupportedPostResetOperation("<nil>")
            }
        }
        self.options = options
    }

    /// Whether nothing behind the reset point is applied again.
    public var reappliesNothing: Bool { excluded.isSuperset(of: [.signal, .update, .nexus, .cancelRequest]) }

    /// An event behind the reset point in the form in which it is applied to the new run; nil if it is not. A cancel
    /// request never is, as in Temporal.
    public func reapplied(_ event: HistoryEvent) -> HistoryEvent? {
        if reappliesNothing { return nil }
        switch event.attributes {
        case .workflowExecutionSignaledEventAttributes: return excluded.contains(.signal) ? nil : event
        case .workflowExecutionUpdateAdmittedEventAttributes: return excluded.contains(.update) ? nil : event
        case .workflowExecutionUpdateAcceptedEventAttributes(let accepted):
            // One that was admitted by an event has its request there.
            guard !excluded.contains(.update), let request = accepted.acceptedRequest else { return nil }
            var attributes = WorkflowExecutionUpdateAdmittedEventAttributes()
            attributes.request = request
            attributes.origin = .reapply
            var admitted = event
            admitted.eventType = .workflowExecutionUpdateAdmitted
            admitted.attributes = .workflowExecutionUpdateAdmittedEventAttributes(attributes)
            return admitted
        case .workflowExecutionOptionsUpdatedEventAttributes: return event
        default: return nil
        }
    }
}

extension RequestError {
    fileprivate static func unsupportedPostResetOperation(_ type: String) -> RequestError {
        .invalidArgument("unsupported post reset operation: \(type)")
    }

    /// The reset point is not an event of the run.
    public static let resetPointOutOfRange = RequestError.invalidArgument(
        "Workflow task finish ID must be > 1 && <= workflow last event ID."
    )
}
