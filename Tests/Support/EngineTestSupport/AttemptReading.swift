internal import SagamoreAPI
internal import SagamoreEngine
internal import SagamoreProtobuf

/// What the facts of a journal say of one pending activity's attempts.
struct AttemptReading {
    private(set) var attempt: Int32 = 1
    private(set) var scheduledAt: Instant
    private(set) var start: Fact.ActivityStart?
    private(set) var failure: RawMessage<Failure>?
    private(set) var workerIdentity = ""
    private(set) var failedAt: Instant?
    private(set) var heartbeatDetails: RawMessage<Payloads>?
    private(set) var heartbeatAt: Instant?
    private(set) var pause: ActivityPause?
    private(set) var isReset = false
    private(set) var forgetsHeartbeat = false
    private(set) var options: ActivitySettings?

    init(_ id: Int64, scheduledAt: Instant, _ facts: [RecordedFact]) {
        self.scheduledAt = scheduledAt
        for recorded in facts { read(recorded.fact, id) }
    }

    private mutating func read(_ fact: Fact, _ id: Int64) {
        switch fact {
        case .activityStarted(let started) where started.scheduledEventID == id: start = started
        case .activityReturned(id, _, let at):
            start = nil
            scheduledAt = at
        case .activityRetryScheduled(let retried) where retried.scheduledEventID == id:
            start = nil
            attempt += 1
            scheduledAt = retried.at
            (failure, workerIdentity, failedAt) = (retried.failure, retried.workerIdentity, retried.failedAt)
            (heartbeatDetails, heartbeatAt) = (retried.heartbeatDetails, retried.heartbeatAt)
            if pause == nil { (isReset, forgetsHeartbeat) = (false, false) }
        case .activityPaused(id, let pause): self.pause = pause
        case .activityUnpaused(let change) where change.scheduledEventID == id:
            pause = nil
            if change.resetsAttempts { attempt = 1 }
            if change.resetsHeartbeat { (heartbeatDetails, heartbeatAt) = (nil, nil) }
            becomeDue(change.dueAt)
        case .activityReset(let change) where change.scheduledEventID == id:
            (attempt, isReset) = (1, true)
            if change.resetsHeartbeat { forgetsHeartbeat = true }
            if change.unpauses { pause = nil }
            becomeDue(change.dueAt)
        case .activityOptionsChanged(let change) where change.scheduledEventID == id:
            options = change.options
            becomeDue(change.dueAt)
        default: break
        }
    }

    private mutating func becomeDue(_ at: Instant?) {
        guard let at else { return }
        scheduledAt = at
        failure = nil
        if forgetsHeartbeat { (heartbeatDetails, heartbeatAt) = (nil, nil) }
        if pause == nil { (isReset, forgetsHeartbeat) = (false, false) }
    }
}
