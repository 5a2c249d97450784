internal import SagamoreAPI
internal import SagamoreEngine
internal import SagamoreProtobuf

extension PendingActivityInfo {
    /// A pending activity as DescribeWorkflowExecution shows it.
    ///
    /// - Parameter heartbeat: the newest one of the running attempt.
    init(_ activity: PendingActivity, _ heartbeat: Heartbeat?, at now: Instant) {
        self.init()
        activityID = activity.activityID
        activityType = ActivityType()
        activityType?.name = activity.type
        state = PendingActivityState(activity)
        heartbeatDetails = heartbeat?.details ?? activity.heartbeatDetails
        lastHeartbeatTime = (heartbeat?.at ?? activity.heartbeatAt)?.timestamp
        lastStartedTime = activity.startedAt?.timestamp
        attempt = activity.attempt
        maximumAttempts = activity.retryPolicy.maximumAttempts
        scheduledTime = activity.attemptScheduledAt.timestamp
        // As on Temporal's server, the time that the activity was scheduled with, also when an operator changed it.
        let limit = activity.machine.originalOptions.scheduleToClose
        if limit.isSet { expirationTime = (activity.scheduledAt + limit).timestamp }
        lastFailure = activity.lastFailure
        lastWorkerIdentity = activity.isStarted ? activity.startedIdentity : activity.lastWorkerIdentity
        lastAttemptCompleteTime = activity.lastAttemptCompletedAt?.timestamp
        if state == .scheduled { describeBackoff(activity, at: now) }
        if let pause = activity.machine.pause {
            paused = true
            pauseInfo = PauseInfo(pause)
        }
        priority = activity.priority
        activityOptions = activity.machine.options.shownMessage
        activityOptions?.taskQueue?.normalName = activity.taskQueue
    }

    private mutating func describeBackoff(_ activity: PendingActivity, at now: Instant) {
        guard activity.attempt > 1, activity.attemptScheduledAt > now else { return }
        nextAttemptScheduleTime = activity.attemptScheduledAt.timestamp
        if let completed = activity.lastAttemptCompletedAt {
            currentRetryInterval = (activity.attemptScheduledAt - completed).duration
        }
    }
}

extension PendingActivityState {
    fileprivate init(_ activity: PendingActivity) {
        switch (activity.isCancelRequested, activity.isStarted, activity.isPaused) {
        case (true, _, _): self = .cancelRequested
        case (false, true, true): self = .pauseRequested
        case (false, false, true): self = .paused
        case (false, true, false): self = .started
        case (false, false, false): self = .scheduled
        }
    }
}

extension PendingActivityInfo.PauseInfo {
    fileprivate init(_ pause: ActivityPause) {
        self.init()
        pauseTime = pause.at.timestamp
        var manual = PendingActivityInfo.PauseInfo.Manual()
        manual.identity = pause.identity
        manual.reason = pause.reason
        pausedBy = .manual(manual)
    }
}
