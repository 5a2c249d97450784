package import SagamoreAPI
package import SagamoreProtobuf

/// Converts errors to the contract's `Failure` and back.
package enum FailureCoding {
    private static let source = "SagamoreSwift"
    /// Longer chains of causes are cut: the wire has a depth limit.
    private static let deepest = 20

    // MARK: Writing

    /// Converts an error. An error of an unknown type becomes a retryable application failure with its type's name.
    package static func failure(_ error: any Error, depth: Int = 0) -> Failure {
        var failure = Failure()
        failure.source = source
        failure.message = "\(error)"
        var cause = (error as? any WorkflowFailure)?.cause
        switch error {
        case let error as ApplicationError:
            failure.message = error.message
            failure.failureInfo = .applicationFailureInfo(info(error))
        case let error as SagaCompensatedError:
            failure.message = error.reason
            failure.failureInfo = .applicationFailureInfo(info(SagaCompensatedError.type, error.compensations))
        case let error as SagaCompensationFailedError:
            failure.message = error.description
            failure.failureInfo = .applicationFailureInfo(info(SagaCompensationFailedError.type, error.compensations))
        case let error as ActivityError:
            failure.message = "activity error"
            failure.failureInfo = .activityFailureInfo(info(error))
        case let error as ChildWorkflowError:
            failure.message = "child workflow error"
            failure.failureInfo = .childWorkflowExecutionFailureInfo(info(error))
        case let error as TimeoutError:
            failure.message = error.message
            var info = TimeoutFailureInfo()
            info.timeoutType = TimeoutType(rawValue: error.kind.rawValue)
            info.lastHeartbeatDetails = decoded(error.lastHeartbeatDetails)
            failure.failureInfo = .timeoutFailureInfo(info)
        case let error as CanceledError:
            failure.message = error.message
            var info = CanceledFailureInfo()
            info.details = decoded(error.details)
            failure.failureInfo = .canceledFailureInfo(info)
        case is CancellationError:
            failure.message = "cancelled"
            failure.failureInfo = .canceledFailureInfo(CanceledFailureInfo())
        default:
            var info = ApplicationFailureInfo()
            info.type = "\(type(of: error))"
            failure.failureInfo = .applicationFailureInfo(info)
            if let error = error as? DataError { cause = error.cause }
        }
        if let cause, depth < deepest { failure.cause = self.failure(cause, depth: depth + 1) }
        return failure
    }

    private static func info(_ error: ApplicationError) -> ApplicationFailureInfo {
        var info = ApplicationFailureInfo()
        info.type = error.type
        info.nonRetryable = error.isNonRetryable
        info.details = decoded(error.details)
        info.nextRetryDelay = error.nextRetryDelay.map { ProtobufDuration($0) }
        if error.isBenign { info.category = .benign }
        return info
    }

    private static func info(_ type: String, _ compensations: [SagaCompensation]) -> ApplicationFailureInfo {
        var info = ApplicationFailureInfo()
        info.type = type
        info.nonRetryable = true
        info.details = (try? PayloadCoding.list(compensations))?.decodedOrNil
        return info
    }

    private static func info(_ error: ActivityError) -> ActivityFailureInfo {
        var info = ActivityFailureInfo()
        info.activityType = SagamoreAPI.ActivityType(name: error.activity)
        info.activityID = error.activityID
        info.retryState = RetryState(rawValue: error.retryState.rawValue)
        info.scheduledEventID = error.scheduledEventID
        info.startedEventID = error.startedEventID
        info.identity = error.identity
        return info
    }

    private static func info(_ error: ChildWorkflowError) -> ChildWorkflowExecutionFailureInfo {
        var info = ChildWorkflowExecutionFailureInfo()
        info.namespace = error.namespace
        info.workflowExecution = WorkflowExecution(workflowID: error.workflowID, runID: error.runID)
        info.workflowType = SagamoreAPI.WorkflowType(name: error.workflow)
        info.initiatedEventID = error.initiatedEventID
        info.startedEventID = error.startedEventID
        info.retryState = RetryState(rawValue: error.retryState)
        return info
    }

    private static func decoded(_ values: EncodedValues) -> Payloads? { values.raw?.decodedOrNil }

    // MARK: Reading

    /// Converts a failure. One that cannot be decoded becomes a ``ServerError``.
    package static func error(_ raw: RawMessage<Failure>?) -> any Error {
        guard let raw, let failure = try? raw.decoded() else {
            return ServerError(message: "the failure has no description", kind: "unknown", cause: nil)
        }
        return error(failure)
    }

    /// Converts a failure.
    static func error(_ failure: Failure) -> any Error {
        let cause = failure.cause.map { error($0) }
        switch failure.failureInfo {
        case .applicationFailureInfo(let info):
            return application(failure, info, cause)
        case .timeoutFailureInfo(let info):
            return TimeoutError(
                message: failure.message,
                kind: TimeoutError.Kind(rawValue: info.timeoutType.rawValue),
                lastHeartbeatDetails: EncodedValues(info.lastHeartbeatDetails),
                cause: cause
            )
        case .canceledFailureInfo(let info):
            return CanceledError(failure.message, details: EncodedValues(info.details), cause: cause)
        case .activityFailureInfo(let info):
            return ActivityError(
                activity: info.activityType?.name ?? "",
                activityID: info.activityID,
                retryState: ActivityError.RetryState(rawValue: info.retryState.rawValue),
                cause: cause,
                scheduledEventID: info.scheduledEventID,
                startedEventID: info.startedEventID,
                identity: info.identity
            )
        case .terminatedFailureInfo: return ServerError(message: failure.message, kind: "terminated", cause: cause)
        case .serverFailureInfo: return ServerError(message: failure.message, kind: "server", cause: cause)
        case .resetWorkflowFailureInfo: return ServerError(message: failure.message, kind: "reset", cause: cause)
        case .childWorkflowExecutionFailureInfo(let info):
            return ChildWorkflowError(
                workflow: info.workflowType?.name ?? "",
                workflowID: info.workflowExecution?.workflowID ?? "",
                runID: info.workflowExecution?.runID ?? "",
                cause: cause,
                namespace: info.namespace,
                initiatedEventID: info.initiatedEventID,
                startedEventID: info.startedEventID,
                retryState: info.retryState.rawValue
            )
        case .nexusOperationExecutionFailureInfo, .nexusHandlerFailureInfo:
            return ServerError(message: failure.message, kind: "nexus", cause: cause)
        case nil: return ServerError(message: failure.message, kind: "unknown", cause: cause)
        }
    }

    private static func application(
        _ failure: Failure,
        _ info: ApplicationFailureInfo,
        _ cause: (any Error)?
    ) -> any Error {
        let details = EncodedValues(info.details)
        if info.type == SagaCompensatedError.type || info.type == SagaCompensationFailedError.type,
            let compensations = try? details.decode([SagaCompensation].self)
        {
            if info.type == SagaCompensatedError.type {
                return SagaCompensatedError(reason: failure.message, compensations: compensations, cause: cause)
            }
            let reason = SagaCompensationFailedError.reason(failure.message)
            return SagaCompensationFailedError(reason: reason, compensations: compensations, cause: cause)
        }
        return ApplicationError(
            failure.message,
            type: info.type,
            isNonRetryable: info.nonRetryable,
            isBenign: info.category == .benign,
            details: details,
            nextRetryDelay: info.nextRetryDelay.map { Duration($0) },
            cause: cause
        )
    }
}

extension RawMessage {
    /// The message, or nil when the bytes are invalid.
    var decodedOrNil: Message? { try? decoded() }
}
