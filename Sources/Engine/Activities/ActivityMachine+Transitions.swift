internal import SagamoreAPI
internal import SagamoreProtobuf

/// What happens to an activity's attempts, as it was recorded.
extension ActivityMachine {
    /// A worker gets the attempt.
    mutating func start(_ start: Fact.ActivityStart) {
        startedAt = start.at
        startedIdentity = start.identity
        startedRequestID = start.requestID
        startedBuildID = start.buildID
        startedNonce = start.nonce
    }

    /// No worker holds the attempt any more; it is due at `instant`.
    mutating func wait(from instant: Instant) {
        startedAt = nil
        startedIdentity = ""
        startedRequestID = ""
        startedBuildID = ""
        startedNonce = 0
        attemptScheduledAt = instant
    }

    /// The attempt has ended, and another one follows.
    mutating func retry(_ retry: Fact.ActivityRetry) {
        wait(from: retry.at)
        revision += 1
        renumber(retry.attempt)
        lastFailure = retry.failure
        lastWorkerIdentity = retry.workerIdentity
        lastAttemptCompletedAt = retry.failedAt
        heartbeatDetails = retry.heartbeatDetails
        heartbeatAt = retry.heartbeatAt
        // A paused activity starts over when it is unpaused.
        if !isPaused { noteStartedOver() }
    }

    /// An operator pauses the activity: a running attempt may end.
    mutating func pause(_ pause: ActivityPause) {
        intervene { $0.pause = pause }
        // What Matching has is void.
        if !isStarted { revision += 1 }
    }

    /// An operator unpauses the activity.
    mutating func unpause(_ change: Fact.ActivityUnpause) {
        intervene { $0.pause = nil }
        if change.resetsAttempts { renumber(1) }
        if change.resetsHeartbeat { forgetHeartbeat() }
        if let dueAt = change.dueAt { makeDue(at: dueAt) }
    }

    /// An operator lets the activity start over: at once, or after the end of the running attempt.
    mutating func reset(_ change: Fact.ActivityReset) {
        renumber(1)
        intervene {
            $0.isReset = true
            if change.resetsHeartbeat { $0.forgetsHeartbeat = true }
            if change.unpauses { $0.pause = nil }
        }
        if let dueAt = change.dueAt { makeDue(at: dueAt) }
    }

    /// An operator changes the options, or restores the original ones.
    mutating func changeOptions(_ change: Fact.ActivityOptionsChange) {
        let original = originalOptions
        options = change.options
        intervene { $0.original = change.options == original ? nil : original }
        if let dueAt = change.dueAt { makeDue(at: dueAt) }
    }

    /// Makes the waiting attempt due at another time. Earlier offers and deadlines of it are void.
    private mutating func makeDue(at instant: Instant) {
        attemptScheduledAt = instant
        revision += 1
        lastFailure = nil
        if forgetsHeartbeat { forgetHeartbeat() }
        if !isPaused { noteStartedOver() }
    }

    private mutating func noteStartedOver() {
        guard intervention != nil else { return }
        intervene {
            $0.isReset = false
            $0.forgetsHeartbeat = false
        }
    }

    private mutating func forgetHeartbeat() {
        heartbeatDetails = nil
        heartbeatAt = nil
    }

    /// Gives the attempt another number, without making its deadlines void.
    private mutating func renumber(_ attempt: Int32) {
        revision += self.attempt - attempt
        self.attempt = attempt
    }

    private mutating func intervene(_ change: (inout ActivityIntervention.Values) -> Void) {
        var values = intervention?.values ?? ActivityIntervention.Values()
        change(&values)
        intervention = values == ActivityIntervention.Values() ? nil : ActivityIntervention(values)
    }
}
