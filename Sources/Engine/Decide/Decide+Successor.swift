internal import SagamoreAPI
internal import SagamoreProtobuf

/// Runs that follow another one of their chain.
extension Execution {
    /// Whether a completion may end the run in another one, whose id `decide` then needs.
    public func needsSuccessorID(for completion: WorkflowTaskCompletedRequest) -> Bool {
        guard let last = completion.request.commands.last, last.endsRun else { return false }
        if case .continueAsNewWorkflowExecutionCommandAttributes = last.attributes { return true }
        return durable.recurrence != nil
    }

    /// Lets another run follow the one that the draft has just closed.
    ///
    /// - Parameters:
    ///   - request: what differs between the runs of a chain. What they share is added.
    ///   - lineage: why the chain goes on. What the runs share is added.
    ///   - backoff: how long the first workflow task is to wait.
    func succeed(
        as runID: RunID,
        _ request: StartWorkflowExecutionRequest,
        _ lineage: Lineage,
        after backoff: Interval,
        limits: Limits,
        in draft: inout Draft
    ) {
        var (request, lineage) = (request, lineage)
        request.workflowID = key.workflowID
        // A repeated request to start the chain is recognized as long as the chain lives.
        request.requestID = durable.startRequestID
        if durable.executionTimeout.isSet { request.workflowExecutionTimeout = durable.executionTimeout.duration }
        request.priority = durable.priority
        if durable.executionTimeout.isSet { lineage.expiration = durable.executionDeadline }
        lineage.continuedRunID = self.runID
        lineage.firstRunID = RunID(durable.firstRunID) ?? self.runID
        lineage.firstTaskBackoff = pause(backoff, limits, at: draft.now)
        lineage.parent = durable.parent
        lineage.schedule = durable.schedule
        lineage.root = durable.root
        lineage.publishedStatusEvents = durable.publishedStatusEvents
        lineage.resetPoints = resetPoints(behind: draft)
        lineage.messageIDs = messageIDsForSuccessor
        let start = StartRequest(following: request, origin: durable.origin, lineage: lineage)
        draft.decision.successor = Successor(runID: runID, start: start, at: draft.now)
        draft.isClosed = true
    }

    /// The pause before the next run's first workflow task. A chain that goes on at once would keep the server busy for
    /// nothing, so a run with its pause takes a second at least.
    private func pause(_ wished: Interval, _ limits: Limits, at now: Instant) -> Interval {
        let lifetime = now - (durable.startedAt + durable.firstTaskBackoff)
        let missing = limits.shortestRun.nanoseconds - lifetime.nanoseconds
        return Interval(nanoseconds: max(wished.nanoseconds, missing))
    }
}

extension Command {
    /// Whether the command ends the run. It must be the last one of its task.
    var endsRun: Bool {
        switch attributes {
        case .completeWorkflowExecutionCommandAttributes, .failWorkflowExecutionCommandAttributes,
            .cancelWorkflowExecutionCommandAttributes, .continueAsNewWorkflowExecutionCommandAttributes:
            true
        default:
            false
        }
    }
}
