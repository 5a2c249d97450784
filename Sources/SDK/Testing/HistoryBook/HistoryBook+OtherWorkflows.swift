internal import Sagamore
internal import SagamoreAPI
internal import SagamoreProtobuf

/// What other workflows answer. All calls throw ``IllegalEventError`` when the code has not asked for it.
extension HistoryBook {
    /// A child that the code has started runs.
    public func childStarted(_ id: String) throws {
        var started = ChildWorkflowExecutionStartedEventAttributes()
        started.initiatedEventID = try initiatedEvent(id)
        started.workflowExecution = WorkflowExecution(workflowID: id, runID: "run-of-\(id)")
        append(.childWorkflowExecutionStarted, .childWorkflowExecutionStartedEventAttributes(started))
    }

    /// A child completes.
    public func childCompleted<Value: Encodable>(_ id: String, _ value: Value) throws {
        var completed = ChildWorkflowExecutionCompletedEventAttributes()
        completed.initiatedEventID = try initiatedEvent(id)
        completed.result = try PayloadCoding.list(value)
        append(.childWorkflowExecutionCompleted, .childWorkflowExecutionCompletedEventAttributes(completed))
    }

    /// A child fails.
    public func childFailed(_ id: String, _ error: any Error) throws {
        var failed = ChildWorkflowExecutionFailedEventAttributes()
        failed.initiatedEventID = try initiatedEvent(id)
        failed.failure = RawMessage(FailureCoding.failure(error))
        append(.childWorkflowExecutionFailed, .childWorkflowExecutionFailedEventAttributes(failed))
    }

    /// A child ends as cancelled.
    public func childCancelled(_ id: String) throws {
        var cancelled = ChildWorkflowExecutionCanceledEventAttributes()
        cancelled.initiatedEventID = try initiatedEvent(id)
        append(.childWorkflowExecutionCanceled, .childWorkflowExecutionCanceledEventAttributes(cancelled))
    }

    /// A child is not started: its workflow id is taken.
    public func childRefused(_ id: String) throws {
        var failed = StartChildWorkflowExecutionFailedEventAttributes()
        failed.initiatedEventID = try initiatedEvent(id)
        failed.cause = .workflowAlreadyExists
        append(.startChildWorkflowExecutionFailed, .startChildWorkflowExecutionFailedEventAttributes(failed))
    }

    /// A signal has reached the other workflow; by its name.
    public func signaled(_ name: String) throws {
        var signaled = ExternalWorkflowExecutionSignaledEventAttributes()
        signaled.initiatedEventID = try initiatedEvent(name)
        append(.externalWorkflowExecutionSignaled, .externalWorkflowExecutionSignaledEventAttributes(signaled))
    }

    /// There is no workflow that a signal could reach; by its name.
    public func signalRefused(_ name: String) throws {
        var failed = SignalExternalWorkflowExecutionFailedEventAttributes()
        failed.initiatedEventID = try initiatedEvent(name)
        failed.cause = .externalWorkflowExecutionNotFound
        append(.signalExternalWorkflowExecutionFailed, .signalExternalWorkflowExecutionFailedEventAttributes(failed))
    }

    private func initiatedEvent(_ name: String) throws -> Int64 {
        guard let id = initiated[name] else {
            throw IllegalEventError(
                description: "'\(name)' was not initiated; initiated are \(initiated.keys.sorted())"
            )
        }
        return id
    }
}
