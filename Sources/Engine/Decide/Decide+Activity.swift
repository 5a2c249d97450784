public import SagamoreAPI
public import SagamoreProtobuf

/// The contents of an activity task's token: the committed start of an attempt. It does not depend on the owner.
public struct ActivityTaskToken: Equatable, Sendable {
    /// The workflow that the activity belongs to.
    public let key: WorkflowKey
    /// The run that the activity belongs to.
    public let runID: RunID
    /// The activity, by the id of ActivityTaskScheduled.
    public let scheduledEventID: Int64
    /// The number of the attempt, from 1.
    public let attempt: Int32
    /// The nonce of the start. An attempt whose delivery failed is started again, although the first worker may have
    /// received it.
    public let nonce: UInt64

    public init(key: WorkflowKey, runID: RunID, scheduledEventID: Int64, attempt: Int32, nonce: UInt64) {
        self.key = key
        self.runID = runID
        self.scheduledEventID = scheduledEventID
        self.attempt = attempt
        self.nonce = nonce
    }
}

extension Execution {
    /// Starts an attempt for a poller.
    ///
    /// - Parameter nonce: unique for each start; part of the token.
    /// - Throws: `notFound` when the attempt is no longer due.
    public func decide(
        startActivity scheduledEventID: Int64,
        attempt: Int32,
        identity: String,
        requestID: String,
        buildID: String = "",
        nonce: UInt64,
        at now: Instant
    ) throws(RequestError) -> Decision {
        // The due time is not checked again: it had come when the task was offered, and the clock may have gone back.
        guard isRunning, let activity = durable.activities[scheduledEventID], activity.isWaiting,
            activity.number == attempt
        else { throw .activityTaskNotFound }
        var draft = Draft(self, at: now)
        draft.fact(
            .activityStarted(
                Fact.ActivityStart(
                    scheduledEventID: scheduledEventID,
                    attempt: activity.attempt,
                    at: now,
                    identity: identity,
                    requestID: requestID,
                    buildID: buildID,
                    nonce: nonce
                )
            )
        )
        draft.decision.reply = .activityTask(delivery(of: activity, at: now, nonce: nonce))
        return draft.decision
    }

    func workerVersion(_ buildID: String) -> WorkerVersionStamp? {
        guard !buildID.isEmpty else { return nil }
        var stamp = WorkerVersionStamp()
        stamp.buildID = buildID
        return stamp
    }

    func delivery(of activity: PendingActivity, at startedAt: Instant, nonce: UInt64) -> ActivityTaskDelivery {
        ActivityTaskDelivery(
            activity: activity,
            workflowType: durable.workflowType,
            startedAt: startedAt,
            nonce: nonce,
            heartbeatDetails: heartbeatDetails(of: activity),
            priority: Priority(activity.priority, inheriting: durable.priority)
        )
    }

    /// Makes an attempt due again whose task did not reach its poller.
    public func decide(activityReturned token: ActivityTaskToken, at now: Instant) -> Decision {
        var draft = Draft(self, at: now)
        guard let activity = try? running(token) else { return draft.decision }
        let id = activity.scheduledEventID
        draft.fact(.activityReturned(scheduledEventID: id, attempt: activity.attempt, at: now))
        if !activity.isPaused {
            draft.decision.offers.append(
                .activity(route: route(of: activity), scheduledEventID: id, attempt: activity.number)
            )
        }
        return draft.decision
    }

    /// Completes an attempt. A result over the payload limit fails it instead.
    ///
    /// - Throws: `activityTaskNotFound` when the attempt is no longer running.
    public func decide(
        completed token: ActivityTaskToken,
        result: RawMessage<Payloads>?,
        identity: String,
        at now: Instant,
        limits: Limits = Limits()
    ) throws(RequestError) -> Decision {
        let activity = try running(token)
        if let result, result.bytes.count > limits.payloadBytes {
            let failure = serverFailure("Complete result exceeds size limit.")
            return try decide(
                failed: token,
                failure: failure,
                identity: identity,
                heartbeat: nil,
                at: now,
                limits: limits
            )
        }
        return complete(activity, result: result, identity: identity, at: now)
    }

    /// Writes the end of an attempt that a worker holds, or that waits for one and is completed by its id.
    func complete(
        _ activity: PendingActivity,
        result: RawMessage<Payloads>?,
        identity: String,
        at now: Instant
    ) -> Decision {
        var draft = Draft(self, at: now)
        var attributes = ActivityTaskCompletedEventAttributes()
        attributes.result = result
        attributes.scheduledEventID = activity.scheduledEventID
        attributes.startedEventID = writeActivityStarted(activity, isAnswered: true, in: &draft)
        attributes.identity = identity
        draft.outside(self, .activityTaskCompleted, .activityTaskCompletedEventAttributes(attributes))
        scheduleWorkflowTask(in: &draft)
        return draft.decision
    }

    /// Fails an attempt: it is retried, or the activity fails.
    ///
    /// - Throws: `activityTaskNotFound` when the attempt is no longer running.
    public func decide(
        failed token: ActivityTaskToken,
        failure: RawMessage<Failure>?,
        identity: String,
        heartbeat: RawMessage<Payloads>?,
        at now: Instant,
        limits: Limits = Limits()
    ) throws(RequestError) -> Decision {
        let activity = try running(token)
        var draft = Draft(self, at: now)
        var failure = failure
        var decoded = failure.flatMap { try? $0.decoded() } ?? Failure()
        if let whole = failure, whole.bytes.count > limits.payloadBytes {
            let short = whole.tooLarge
            failure = short
            decoded = (try? short.decoded()) ?? Failure()
        }
        if let retryState = retry(activity, after: decoded, failure, identity: identity, heartbeat, in: &draft) {
            var attributes = ActivityTaskFailedEventAttributes()
            attributes.failure = failure ?? RawMessage(decoded)
            attributes.scheduledEventID = activity.scheduledEventID
            attributes.startedEventID = writeActivityStarted(activity, isAnswered: true, in: &draft)
            attributes.identity = identity
            attributes.retryState = retryState
            draft.outside(self, .activityTaskFailed, .activityTaskFailedEventAttributes(attributes))
            scheduleWorkflowTask(in: &draft)
        }
        return draft.decision
    }

    /// Cancels an attempt, as a worker reports.
    ///
    /// - Throws: `activityTaskNotFound` when the attempt is no longer running, `invalidArgument` when no cancellation
    ///   was requested.
    public func decide(
        canceled token: ActivityTaskToken,
        details: RawMessage<Payloads>?,
        identity: String,
        at now: Instant,
        limits: Limits = Limits()
    ) throws(RequestError) -> Decision {
        let activity = try running(token)
        guard activity.isCancelRequested else {
            throw .invalidArgument("unable to mark activity as canceled without activity being request canceled first")
        }
        var draft = Draft(self, at: now)
        var attributes = ActivityTaskCanceledEventAttributes()
        attributes.details = details
        attributes.latestCancelRequestedEventID = activity.cancelRequestedEventID
        attributes.scheduledEventID = activity.scheduledEventID
        attributes.startedEventID = writeActivityStarted(activity, in: &draft)
        attributes.identity = identity
        draft.outside(self, .activityTaskCanceled, .activityTaskCanceledEventAttributes(attributes))
        scheduleWorkflowTask(in: &draft)
        return draft.decision
    }

    /// Records a heartbeat. Details over the payload limit fail the attempt.
    ///
    /// - Throws: `activityTaskNotFound` when the attempt is no longer running.
    public func decide(
        heartbeat token: ActivityTaskToken,
        details: RawMessage<Payloads>?,
        at now: Instant,
        limits: Limits = Limits()
    ) throws(RequestError) -> Decision {
        let activity = try running(token)
        if let details, details.bytes.count > limits.payloadBytes {
            let failure = serverFailure("Heartbeat details exceed size limit.")
            let identity = activity.startedIdentity
            var decision = try decide(failed: token, failure: failure, identity: identity, heartbeat: nil, at: now)
            decision.reply = .heartbeat(HeartbeatAnswer(cancelRequested: true))
            return decision
        }
        var draft = Draft(self, at: now)
        draft.volatile(.heartbeat(scheduledEventID: activity.scheduledEventID, details: details, at: now))
        draft.decision.reply = .heartbeat(
            HeartbeatAnswer(
                cancelRequested: activity.isCancelRequested,
                isPaused: activity.isPaused,
                isReset: activity.machine.isReset
            )
        )
        return draft.decision
    }

    private func running(_ token: ActivityTaskToken) throws(RequestError) -> PendingActivity {
        guard isRunning else { throw .workflowClosed }
        guard let activity = durable.activities[token.scheduledEventID], activity.isStarted,
            activity.startedNonce == token.nonce
        else { throw .activityTaskNotFound }
        return activity
    }

    func heartbeatDetails(of activity: PendingActivity) -> RawMessage<Payloads>? {
        volatile.heartbeats[activity.scheduledEventID]?.details ?? activity.heartbeatDetails
    }

    private func heartbeatTime(of activity: PendingActivity) -> Instant? {
        volatile.heartbeats[activity.scheduledEventID]?.at ?? activity.heartbeatAt
    }

    /// Schedules the next attempt, or returns why there is none.
    ///
    /// - Parameter heartbeat: details from the failure; nil keeps those of the last heartbeat.
    private func retry(
        _ activity: PendingActivity,
        after decoded: Failure,
        _ failure: RawMessage<Failure>?,
        identity: String,
        _ heartbeat: RawMessage<Payloads>?,
        in draft: inout Draft
    ) -> RetryState? {
        switch activity.machine.afterFailure(decoded, at: draft.now) {
        case .ended(let state): return state
        case .retried(let attempt, let at):
            let next = NextAttempt(attempt: attempt, at: at)
            writeRetry(of: activity, next, failure, identity: identity, heartbeat, in: &draft)
            return nil
        }
    }

    /// Another attempt, and when it is due.
    struct NextAttempt {
        let attempt: Int32
        let at: Instant
    }

    /// Records that another attempt follows the one that has ended.
    func writeRetry(
        of activity: PendingActivity,
        _ next: NextAttempt,
        _ failure: RawMessage<Failure>?,
        identity: String,
        _ heartbeat: RawMessage<Payloads>?,
        in draft: inout Draft
    ) {
        let isLarge = failure.map { $0.bytes.count > Limits.keptFailureBytes } ?? false
        let forgetsHeartbeat = activity.machine.forgetsHeartbeat && !activity.isPaused
        let keptTime = heartbeat == nil ? heartbeatTime(of: activity) : draft.now
        draft.fact(
            .activityRetryScheduled(
                Fact.ActivityRetry(
                    scheduledEventID: activity.scheduledEventID,
                    attempt: next.attempt,
                    at: next.at,
                    failedAt: draft.now,
                    failure: isLarge ? failure?.cut(to: Limits.keptFailureBytes, isRetryable: true) : failure,
                    workerIdentity: identity,
                    heartbeatDetails: forgetsHeartbeat ? nil : heartbeat ?? heartbeatDetails(of: activity),
                    heartbeatAt: forgetsHeartbeat ? nil : keptTime
                )
            )
        )
    }

    /// Writes ActivityTaskStarted, which happens only at the end of the last attempt. Returns its id, or the
    /// placeholder of a buffered one.
    ///
    /// - Parameter isAnswered: whether the worker completed or failed it. Only then the event names the worker's build.
    func writeActivityStarted(
        _ activity: PendingActivity,
        isAnswered: Bool = false,
        in draft: inout Draft
    ) -> Int64 {
        var attributes = ActivityTaskStartedEventAttributes()
        attributes.scheduledEventID = activity.scheduledEventID
        attributes.identity = activity.startedIdentity
        attributes.requestID = activity.startedRequestID
        attributes.attempt = activity.attempt
        attributes.lastFailure = activity.lastFailure
        if isAnswered { attributes.workerVersion = workerVersion(activity.startedBuildID) }
        let isBuffered = buffersEvents
        let event = HistoryEvent.OneOf_Attributes.activityTaskStartedEventAttributes(attributes)
        draft.outside(self, .activityTaskStarted, event, at: activity.startedAt)
        return isBuffered ? bufferedStartedEventID : draft.lastEventID
    }
}
