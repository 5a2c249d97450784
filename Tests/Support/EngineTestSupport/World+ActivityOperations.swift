internal import SagamoreAPI
internal import SagamoreEngine
internal import SagamoreProtobuf

/// What operators do to pending activities.
extension World {
    func operateOnActivity() throws {
        let pending = execution.durable.activities.values.sorted { $0.scheduledEventID < $1.scheduledEventID }
        guard let activity = pending.randomElement(using: &random) else { return }
        let selection = random.pick([
            (4, ActivitySelection.id(activity.activityID)), (1, .type(activity.type)), (1, .all), (1, .id("unknown")),
        ])
        let operation = randomOperation(on: activity)
        let decision = try perform("\(operation) on \(selection)") { execution throws(RequestError) in
            try execution.decide(
                operation,
                on: selection,
                identity: "operator",
                random: random.next(),
                at: now,
                limits: limits
            )
        }
        if selection == .id("unknown") { try require(decision == nil, "an unknown activity was found") }
        guard decision != nil, execution.isRunning else { return }
        guard let after = execution.durable.activities[activity.scheduledEventID], selection != .id("unknown") else {
            return
        }
        switch operation {
        case .pause: try require(after.isPaused, "an activity was not paused")
        case .unpause: try require(!after.isPaused, "an activity was not unpaused")
        case .reset(_, let keepsPaused, _, _):
            try require(after.attempt == 1, "an activity was reset and is at attempt \(after.attempt)")
            try require(after.isPaused == (activity.isPaused && keepsPaused), "a reset activity is paused or not")
        case .changeOptions, .restoreOptions: break
        }
        try require(after.isStarted == activity.isStarted, "an operator started or ended an attempt")
        try require(after.number >= activity.number, "the number of a waiting attempt went back")
    }

    private func randomOperation(on activity: PendingActivity) -> ActivityOperation {
        let jitter = random.once(in: 3) ? interval(.milliseconds(1), .seconds(10)) : .zero
        var options = ActivityOptions()
        options.taskQueue = Samples.queue("other")
        options.startToCloseTimeout = interval(.seconds(1), .seconds(60)).duration
        options.heartbeatTimeout = interval(.seconds(1), .seconds(60)).duration
        options.retryPolicy = RetryPolicy()
        options.retryPolicy?.maximumAttempts = Int32.random(in: 0...4, using: &random)
        let masks = ["startToCloseTimeout", "heartbeat_timeout", "task_queue.name", "retry_policy.maximum_attempts"]
        return random.pick([
            (activity.isPaused ? 1 : 6, .pause(reason: "maintenance")),
            (
                activity.isPaused ? 6 : 1,
                .unpause(resetsAttempts: random.once(in: 2), resetsHeartbeat: random.once(in: 2), jitter: jitter)
            ),
            (
                3,
                .reset(
                    resetsHeartbeat: random.once(in: 2),
                    keepsPaused: random.once(in: 2),
                    restoresOptions: random.once(in: 2),
                    jitter: jitter
                )
            ),
            (3, .changeOptions(options, mask: masks.filter { _ in random.once(in: 2) })),
            (1, .restoreOptions),
        ])
    }
}
