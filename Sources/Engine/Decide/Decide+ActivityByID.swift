public import SagamoreAPI
public import SagamoreProtobuf

/// Answers from outside, which name an activity by its id instead of by a task's token.
extension Execution {
    /// The token of the attempt that a worker holds.
    ///
    /// - Throws: `workflowClosed`, `notFound` for an activity that is not pending, `activityTaskNotFound` for one that
    ///   no worker holds.
    public func activityToken(ofActivity activityID: String) throws(RequestError) -> ActivityTaskToken {
        let activity = try pendingActivity(named: activityID)
        guard activity.isStarted else { throw .activityTaskNotFound }
        return token(of: activity)
    }

    /// Completes the activity with this id, also when no worker holds it.
    ///
    /// - Throws: `workflowClosed`, `notFound` for an activity that is not pending, `activityTaskNotFound` for a result
    ///   over the payload limit that no attempt could fail with.
    public func decide(
        completedByID activityID: String,
        result: RawMessage<Payloads>?,
        identity: String,
        at now: Instant,
        limits: Limits = Limits()
    ) throws(RequestError) -> Decision {
        var activity = try pendingActivity(named: activityID)
        if activity.isStarted {
            let token = token(of: activity)
            return try decide(completed: token, result: result, identity: identity, at: now, limits: limits)
        }
        if let result, result.bytes.count > limits.payloadBytes { throw .activityTaskNotFound }
        // The history shows that it was started by whoever completed it.
        activity.machine.startedAt = now
        activity.machine.startedIdentity = identity
        return complete(activity, result: result, identity: identity, at: now)
    }

    private func pendingActivity(named activityID: String) throws(RequestError) -> PendingActivity {
        guard isRunning else { throw .workflowClosed }
        guard let id = durable.activityIDs[ExactText(activityID)], let activity = durable.activities[id] else {
            throw .pendingActivityNotFound(activityID)
        }
        return activity
    }

    private func token(of activity: PendingActivity) -> ActivityTaskToken {
        ActivityTaskToken(
            key: key,
            runID: runID,
            scheduledEventID: activity.scheduledEventID,
            attempt: activity.attempt,
            nonce: activity.startedNonce
        )
    }
}

extension RequestError {
    /// The run has no pending activity with this id.
    static func pendingActivityNotFound(_ activityID: String) -> RequestError {
        // A status has little room, and no activity has a longer id.
        let name = prefix(of: activityID, bytes: 1_500)
        let message =
            "cannot find pending activity with ActivityID \(name), check workflow execution history for more details"
        return RequestError(.notFound, message, detail: .workflowNotFound)
    }
}
