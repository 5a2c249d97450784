internal import SagamoreAPI
internal import SagamoreProtobuf

/// What follows a run by itself: another attempt, by its retry policy, or the next run of its cron schedule.
extension Execution {
    /// How a chain goes on behind a run that has ended.
    struct Sequel {
        /// A retry, or the next run of a schedule.
        let initiator: ContinueAsNewInitiator
        /// How long the next run's first workflow task is to wait.
        let backoff: Interval
        var failure: RawMessage<Failure>?
        var lastCompletionResult: RawMessage<Payloads>?
    }

    /// What follows a run that failed at `now`: another attempt, else the next run of the schedule.
    func sequel(after failure: Failure, at now: Instant, _ limits: Limits) -> (state: RetryState, sequel: Sequel?) {
        guard let started = durable.recurrence?.started else { return (.retryPolicyNotSet, nil) }
        var state = RetryState.retryPolicyNotSet
        if let policy = started.retryPolicy {
            let verdict = RetryRules.verdict(
                policy,
                attempt: durable.attempt,
                failure: failure,
                deadline: durable.executionDeadline,
                now: now,
                capsWishes: true
            )
            switch verdict {
            case .retry(let pause): return (.inProgress, Sequel(initiator: .retry, backoff: pause))
            case .give(up: let reason):
                // Only time that runs out is a timeout here: no timeout of a workflow ends its attempts.
                state = reason
            }
        }
        return (state, nextOfSchedule(at: now, limits))
    }

    /// The next run of the schedule, if the run has one that names a time to come.
    func nextOfSchedule(at now: Instant, _ limits: Limits) -> Sequel? {
        guard let text = durable.recurrence?.started.cronSchedule, !text.isEmpty,
            let schedule = CronSchedule(text, limits.timeZones),
            let backoff = schedule.backoff(since: durable.startedAt + durable.firstTaskBackoff, at: now)
        else { return nil }
        return Sequel(initiator: .cronSchedule, backoff: backoff)
    }

    /// Lets another run with the same start follow the one that the draft has just closed.
    func follow(_ sequel: Sequel, as runID: RunID?, _ limits: Limits, in draft: inout Draft) {
        guard let runID, let started = durable.recurrence?.started else {
            preconditionFailure("the next run of a chain has no id")
        }
        var request = StartWorkflowExecutionRequest()
        request.workflowType = started.workflowType
        request.taskQueue = started.taskQueue
        request.input = started.input
        request.header = started.header
        request.memo = started.memo
        request.searchAttributes = started.searchAttributes
        request.retryPolicy = started.retryPolicy
        request.cronSchedule = started.cronSchedule
        request.workflowRunTimeout = started.workflowRunTimeout
        request.workflowTaskTimeout = started.workflowTaskTimeout
        var lineage = Lineage()
        lineage.initiator = sequel.initiator
        lineage.attempt = sequel.initiator == .retry ? durable.attempt + 1 : 1
        lineage.lastFailure = sequel.failure
        lineage.lastCompletionResult = sequel.lastCompletionResult
        succeed(as: runID, request, lineage, after: sequel.backoff, limits: limits, in: &draft)
    }

    /// Ends the run with a timeout, unless the time of the whole chain is over, with another run behind it.
    func timeOut(successorID: RunID?, _ limits: Limits, in draft: inout Draft) {
        failRunningTask(.forceCloseCommand, in: &draft)
        let failure = timeoutFailure("workflow timeout", .startToClose)
        var outcome: (state: RetryState, sequel: Sequel?) = (.timeout, nil)
        if durable.executionDeadline > draft.now { outcome = sequel(after: failure, at: draft.now, limits) }
        var attributes = WorkflowExecutionTimedOutEventAttributes()
        attributes.retryState = outcome.state
        if outcome.sequel != nil { attributes.newExecutionRunID = successorID?.description ?? "" }
        draft.event(.workflowExecutionTimedOut, .workflowExecutionTimedOutEventAttributes(attributes))
        abortUpdates(in: &draft)
        guard var sequel = outcome.sequel else { return closed(.timedOut, in: &draft) { _ in } }
        sequel.failure = RawMessage(failure)
        sequel.lastCompletionResult = durable.recurrence?.started.lastCompletionResult
        follow(sequel, as: successorID, limits, in: &draft)
    }
}
