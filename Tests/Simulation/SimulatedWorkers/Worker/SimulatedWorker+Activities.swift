internal import SagamoreAPI
internal import SagamoreEngine
internal import SagamoreProtobuf
internal import SagamoreServices

/// Attempts of activities, from the poll to the answer.
extension SimulatedWorker {
    /// An attempt that this worker runs.
    struct RunningAttempt {
        let token: ActivityTaskToken
        let input: ActivityInput
        /// Its number in the ledger.
        let number: Int
        /// Heartbeats that are still to come.
        var heartbeats: Int
        /// The pause before each, and before the end.
        let pause: Interval
        let next: () -> Void
    }

    /// - Parameter next: goes on once the attempt has ended.
    func received(_ task: AssignedActivityTask, then next: @escaping () -> Void) {
        let token = task.activityToken
        guard case .activity(token)? = try? TaskToken(task.token) else {
            ledgers.violation("the token of activity \(token.scheduledEventID) of run \(token.runID) is another one's")
            return next()
        }
        guard let input = task.delivery.activity.input?.data.flatMap({ ActivityInput(bytes: $0) }) else {
            ledgers.violation("activity \(token.scheduledEventID) of run \(token.runID) has lost its input")
            return next()
        }
        let ledger = ledgers.activities
        var details = ByteReader(task.delivery.heartbeatDetails?.data ?? [])
        guard
            let number = ledger.began(
                token,
                input,
                details: details.number(),
                worker: identity,
                life: process.life
            )
        else { return next() }
        counts.activities += 1
        activityCount += 1
        var time = Interval.milliseconds(Int64(scheduler.random.within(0...(2 * input.plan.milliseconds))))
        if faults.lateAttempts > 0, scheduler.random.happens(faults.lateAttempts) {
            counts.lateAttempts += 1
            time = time + longPause()
        }
        let isForgotten = faults.forgottenAttempts > 0 && scheduler.random.happens(faults.forgottenAttempts)
        if isForgotten || (input.plan.end == .neverAnswers && token.attempt > Int32(input.plan.failures)) {
            counts.forgottenAttempts += 1
            activityCount -= 1
            return next()
        }
        let heartbeats = input.plan.heartbeats
        let pause = Interval(nanoseconds: time.nanoseconds / Int64(heartbeats + 1))
        proceed(
            RunningAttempt(
                token: token,
                input: input,
                number: number,
                heartbeats: heartbeats,
                pause: pause,
                next: next
            )
        )
    }

    private func proceed(_ attempt: RunningAttempt) {
        scheduler.schedule("an activity goes on", of: process, after: attempt.pause) { [self] in
            if attempt.heartbeats > 0 { heartbeat(attempt) } else { end(attempt) }
        }
    }

    private func heartbeat(_ attempt: RunningAttempt) {
        counts.heartbeats += 1
        var attempt = attempt
        attempt.heartbeats -= 1
        let (token, plan) = (attempt.token, attempt.input.plan)
        // They grow from each heartbeat to the next, also of later attempts.
        let progress = Int(token.attempt) * 100 + plan.heartbeats - attempt.heartbeats
        let details = plan.hasDetails ? RawMessage<Payloads>(data: ScriptCommand.number(progress)) : nil
        let sentAt = scheduler.now
        caller.call("send a heartbeat", timeout: configuration.answerTimeout) {
            (service, reply: Reply<HeartbeatAnswer>) in
            service.history.heartbeat(token, details: details, reply: reply)
        } done: { [self, attempt] outcome in
            if plan.hasDetails, case .success = outcome {
                ledgers.activities.acknowledgedHeartbeat(token, progress, sentAt: sentAt, at: scheduler.now)
            }
            switch outcome {
            case .success(let answer) where answer.cancelRequested && !plan.ignoresCancel: cancel(attempt)
            case .success: proceed(attempt)
            case .failure(let error) where error.isPassing: proceed(attempt)
            case .failure:
                // It has timed out, or its run is over: an attempt that learns this stops.
                counts.refusedAnswers += 1
                ended(attempt)
            }
        }
    }

    private func end(_ attempt: RunningAttempt) {
        let (token, plan, identity) = (attempt.token, attempt.input.plan, identity)
        let isRetried = token.attempt <= Int32(plan.failures)
        if isRetried || plan.end == .fails {
            counts.failedActivities += 1
            let failure = isRetried ? ScriptFailure.retried : ScriptFailure.final
            answer("fail an activity", attempt) { service, reply in
                service.history.failActivity(
                    token,
                    failure: failure,
                    lastHeartbeat: nil,
                    identity: identity,
                    reply: reply
                )
            }
            return
        }
        counts.completedActivities += 1
        ledgers.activities.tookEffect(attempt.number, of: token.runID)
        let result = RawMessage<Payloads>(data: ScriptCommand.number(attempt.input.ordinal))
        answer("complete an activity", attempt, acknowledged: { [self] in ledgers.activities.acknowledged(token) }) {
            service,
            reply in
            service.history.completeActivity(token, result: result, identity: identity, reply: reply)
        }
    }

    private func cancel(_ attempt: RunningAttempt) {
        counts.canceledActivities += 1
        let (token, identity) = (attempt.token, identity)
        answer("cancel an activity", attempt) { service, reply in
            service.history.cancelActivity(token, details: nil, identity: identity, reply: reply)
        }
    }

    private func answer(
        _ label: StaticString,
        _ attempt: RunningAttempt,
        acknowledged: @escaping () -> Void = {},
        _ request: @escaping (ReachableService, Reply<Void>) -> Void
    ) {
        deliver(label, request) { [self] outcome in
            switch outcome {
            case .success: acknowledged()
            case .failure: counts.refusedAnswers += 1
            }
            ended(attempt)
        }
    }

    private func ended(_ attempt: RunningAttempt) {
        activityCount -= 1
        attempt.next()
    }
}
