internal import SagamoreAPI
internal import SagamoreEngine
internal import SagamoreProtobuf

/// What workers do with activities.
extension World {
    func pollActivity() throws {
        let waiting = offers.filter { if case .activity = $0 { true } else { false } }
        guard let offer = waiting.randomElement(using: &random) else { return }
        guard case .activity(_, let id, let attempt) = offer else { return }
        offers.removeAll { $0 == offer }
        let activity = execution.durable.activities[id]
        let isDue = execution.isRunning && activity?.number == attempt && activity?.isWaiting == true
        let decision = try perform("poll activity \(id)#\(attempt)") { execution throws(RequestError) in
            try execution.decide(
                startActivity: id,
                attempt: attempt,
                identity: "worker",
                requestID: "poll-\(id)-\(attempt)",
                buildID: random.once(in: 2) ? "build" : "",
                nonce: random.next(),
                at: now
            )
        }
        try require(isDue == (decision != nil), "an activity was given or refused wrongly")
        guard let decision else { return }
        guard case .activityTask(let delivery) = decision.reply else { throw violation("no activity in the reply") }
        take(delivery)
    }

    func take(_ delivery: ActivityTaskDelivery) {
        let activity = delivery.activity
        activityTokens.append(
            ActivityTaskToken(
                key: Samples.key,
                runID: Samples.runID,
                scheduledEventID: activity.scheduledEventID,
                attempt: activity.attempt,
                nonce: delivery.nonce
            )
        )
    }

    private func isRunning(_ token: ActivityTaskToken) -> Bool {
        let activity = execution.durable.activities[token.scheduledEventID]
        return execution.isRunning && activity?.isStarted == true && activity?.startedNonce == token.nonce
    }

    private func runningToken() -> ActivityTaskToken? {
        activityTokens.filter(isRunning).randomElement(using: &random)
    }

    /// The delivery failed: the worker is not there any more.
    func returnActivity() throws {
        guard let token = activityTokens.randomElement(using: &random) else { return }
        let wasRunning = isRunning(token)
        let decision = try perform("return activity \(token.scheduledEventID)#\(token.attempt)") {
            execution throws(RequestError) in execution.decide(activityReturned: token, at: now)
        }
        try require(wasRunning == (decision?.entries.isEmpty == false), "an attempt was returned or not wrongly")
    }

    func answerActivity() throws {
        guard let token = runningToken() else { return }
        let isCancelRequested = execution.durable.activities[token.scheduledEventID]?.isCancelRequested == true
        let name = "\(token.scheduledEventID)#\(token.attempt)"
        let decision: Decision?
        // One that is to be cancelled mostly fails or says so.
        switch Int.random(in: isCancelRequested ? 3..<14 : 0..<10, using: &random) {
        case 0..<4:
            let result = random.once(in: 3) ? nil : random.once(in: 3) ? RawMessage() : Samples.payloads(text())
            decision = try perform("complete activity \(name)") { execution throws(RequestError) in
                try execution.decide(completed: token, result: result, identity: "worker", at: now, limits: limits)
            }
        case 4..<8:
            decision = try fail(token, name)
        default:
            decision = try perform("activity \(name) cancelled") { execution throws(RequestError) in
                try execution.decide(canceled: token, details: nil, identity: "worker", at: now)
            }
            try require(isCancelRequested == (decision != nil), "a cancellation was taken or refused wrongly")
            return
        }
        try require(decision != nil, "a good answer to an activity was refused")
        try require(!isRunning(token), "an attempt was answered and runs on")
    }

    private func fail(_ token: ActivityTaskToken, _ name: String) throws -> Decision? {
        let failure: RawMessage<Failure>? = random.pick([
            (10, Samples.failure(text())), (2, Samples.failure("no", type: "Fatal")),
            (2, Samples.failure("no", nonRetryable: true)), (1, nil), (1, RawMessage()),
            (3, Samples.failure("wait", nextRetryDelay: interval(.zero, .seconds(30)))),
        ])
        let heartbeat: RawMessage<Payloads>? = random.once(in: 3) ? Samples.payloads("half way") : nil
        return try perform("fail activity \(name)") { execution throws(RequestError) in
            try execution.decide(
                failed: token,
                failure: failure,
                identity: "worker",
                heartbeat: heartbeat,
                at: now,
                limits: limits
            )
        }
    }

    /// A text that is too long where the limits are tight.
    private func text() -> String { String(repeating: "x", count: random.once(in: 8) ? 150 : 3) }

    func heartbeat() throws {
        guard let token = runningToken() else { return }
        let isCancelRequested = execution.durable.activities[token.scheduledEventID]?.isCancelRequested == true
        let details = random.once(in: 3) ? nil : random.once(in: 3) ? RawMessage() : Samples.payloads(text())
        let name = "\(token.scheduledEventID)#\(token.attempt)"
        let decision = try perform("heartbeat of activity \(name)") { execution throws(RequestError) in
            try execution.decide(heartbeat: token, details: details, at: now, limits: limits)
        }
        if let decision, endedByLimit(decision) { return }
        guard case .heartbeat(let answer) = decision?.reply else {
            throw violation("a heartbeat was refused")
        }
        let isExpected = answer.cancelRequested == isCancelRequested || !isRunning(token)
        try require(isExpected, "a heartbeat was told of a cancellation: \(answer.cancelRequested)")
    }

    func staleActivity() throws {
        let stale = activityTokens.filter { !isRunning($0) }
        guard let token = stale.randomElement(using: &random) else { return }
        let decision = try perform("stale activity \(token.scheduledEventID)#\(token.attempt)") {
            execution throws(RequestError) in
            try execution.decide(completed: token, result: nil, identity: "worker", at: now, limits: limits)
        }
        try require(decision == nil, "a stale activity token was taken")
    }
}
