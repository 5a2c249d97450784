public import SagamoreAPI
public import SagamoreEngine
internal import SagamoreJSONText
internal import SagamoreProtobuf

/// What a schedule sends to the service that owns executions. Sent again, it has the same effect.
extension ScheduleRecord {
    /// Who asks.
    public func identity(in namespace: String) -> String { "temporal-scheduler-\(namespace)-\(id)" }

    /// The request for a start; nil if the schedule starts nothing any more.
    ///
    /// - Parameter namespace: the name of its namespace.
    public func request(for start: PendingStart, in namespace: String) -> StartWorkflowExecutionRequest? {
        guard let workflow else { return nil }
        var request = workflow.startRequest(workflowID: start.workflowID)
        request.requestID = requestID(start.due.id)
        request.identity = identity(in: namespace)
        // A time of the schedule has one run, whatever asks for it.
        let keepsID = definition.policies?.keepOriginalWorkflowID ?? false
        request.workflowIDReusePolicy = start.due.isManual || keepsID ? .allowDuplicate : .rejectDuplicate
        request.searchAttributes = attributes(of: start, workflow.searchAttributes)
        if start.isTracked {
            request.lastCompletionResult = progress.lastResult
            request.continuedFailure = progress.lastFailure
        }
        return request
    }

    /// How the run that a start begins knows where it comes from.
    public func mark(of start: PendingStart) -> Lineage.Schedule {
        Lineage.Schedule(scheduleID: id, instance: instance, startID: start.due.id)
    }

    /// The request that a run cancels.
    public func cancelRequest(for run: TrackedRun, in namespace: String) -> CancelRequest {
        CancelRequest(
            reason: "cancelled by schedule overlap policy",
            identity: identity(in: namespace),
            requestID: requestID("\(run.startID)-cancel")
        )
    }

    /// The request that ends a run.
    public func terminateRequest(for run: TrackedRun, in namespace: String) -> TerminateRequest {
        TerminateRequest(
            reason: "terminated by schedule overlap policy",
            identity: identity(in: namespace)
        )
    }

    private func requestID(_ name: String) -> String { "\(instance)-\(name)" }

    private func attributes(
        of start: PendingStart,
        _ given: RawMessage<SearchAttributes>?
    ) -> RawMessage<SearchAttributes> {
        var attributes = (try? given?.decoded()) ?? SearchAttributes()
        attributes.indexedFields["TemporalScheduledById"] = payload(id, .keyword)
        attributes.indexedFields["TemporalScheduledStartTime"] = payload(start.due.nominal.secondText, .datetime)
        return RawMessage(attributes)
    }

    private func payload(_ value: String, _ type: SearchAttributeType) -> Payload {
        Payload(searchAttribute: JSONValue.string(value).serialize(), type: type)
    }
}
