internal import SagamoreAPI
internal import SagamoreProtobuf

/// Speculative workflow tasks: they take updates to a worker, and are written only if something comes of them.
extension Execution {
    /// Makes a speculative task due, and offers it.
    func speculate(sticky stickyQueue: String, in draft: inout Draft) {
        let task = speculativeTask(sticky: stickyQueue, draft)
        draft.volatile(.workflowTaskSpeculated(task))
        draft.decision.offers.append(
            .workflow(route: route, stickyQueue: stickyQueue, stamp: task.stamp)
        )
    }

    func speculativeTask(sticky stickyQueue: String, _ draft: Draft) -> WorkflowTask {
        WorkflowTask(
            form: .speculative,
            scheduledEventID: draft.nextEventID,
            attempt: 1,
            scheduledAt: draft.now,
            stickyQueue: stickyQueue,
            afterEventID: draft.lastEventID
        )
    }

    /// Whether a completion makes so little of a speculative task that it is forgotten. The worker then goes back to
    /// where it was before.
    func leavesNoTrace(_ completion: WorkflowTaskCompletedRequest, of started: StartedWorkflowTask) -> Bool {
        let request = completion.request
        guard started.form == .speculative, request.commands.isEmpty, !request.forceCreateNewWorkflowTask else {
            return false
        }
        let eventsBehind = durable.lastEventID - (durable.previousStartedEventID + 1)
        if eventsBehind > 0 {
            // They would be sent again, so the worker has to know that, and they must be few.
            let isCapable = request.capabilities?.discardSpeculativeWorkflowTaskWithEvents ?? false
            guard isCapable, eventsBehind <= Limits.eventsBehindDiscardedTask else { return false }
        }
        return request.messages.allSatisfy { message in
            message.body?.typeURL.hasSuffix("/\(Rejection.protobufMessageName)") ?? false
        }
    }

    /// The messages that a workflow task takes to the worker: the updates that it has not answered.
    ///
    /// - Parameter includesSent: whether the worker lacks what the task before carried.
    func messages(
        for started: StartedWorkflowTask,
        includesSent: Bool = true,
        _ draft: Draft
    ) -> [ProtocolMessage] {
        guard !volatile.updates.isEmpty else { return [] }
        return volatile.updates
            .filter { (includesSent || !$0.isSent) && !draft.updates.hasAnswered($0.id) }
            .map { $0.message(behind: started.startedEventID - 1) }
    }

    /// Whether updates wait for a worker that came too late for the task that has just been completed.
    func hasWaitingUpdates(besides draft: Draft) -> Bool {
        volatile.updates.contains { !draft.updates.hasAnswered($0.id) }
    }
}

extension Draft {
    /// Writes the WorkflowTaskScheduled event of a speculative task, once: another event has to stand behind it.
    mutating func writeSpeculativeTask(of execution: Execution) {
        guard let task = execution.volatile.speculativeTask, !hasWrittenSpeculativeTask else { return }
        hasWrittenSpeculativeTask = true
        append(
            execution.scheduledEvent(
                task.scheduledEventID,
                attempt: task.attempt,
                at: task.scheduledAt,
                sticky: task.stickyQueue
            )
        )
    }
}
