internal import SagamoreAPI
internal import SagamoreEngine
internal import SagamoreProtobuf

/// What clients and time do.
extension World {
    private enum Action: CaseIterable {
        case signal, cancel, terminate, changeOptions, attach, update, reapplyUpdate
        case pollWorkflowTask, answerWorkflowTask, failWorkflowTask, repeatCompletion, staleWorkflowTask
        case pollActivity, returnActivity, answerActivity, heartbeat, staleActivity, operateOnActivity
        case time, crash, stickyAbandoned, answerDebt, endChild
    }

    func step() throws {
        let isRunningTask = execution.volatile.startedTask != nil
        let action = random.pick([
            (8, Action.signal), (2, .cancel), (1, .terminate), (1, .changeOptions), (2, .attach), (8, .update),
            (1, .reapplyUpdate),
            (isRunningTask ? 1 : 22, .pollWorkflowTask), (isRunningTask ? 22 : 1, .answerWorkflowTask),
            (isRunningTask ? 2 : 1, .failWorkflowTask), (3, .repeatCompletion), (1, .staleWorkflowTask),
            (12, .pollActivity), (2, .returnActivity), (12, .answerActivity), (4, .heartbeat), (1, .staleActivity),
            (9, .time), (3, .crash), (1, .stickyAbandoned), (9, .answerDebt), (5, .endChild), (7, .operateOnActivity),
        ])
        switch action {
        case .signal: try signal()
        case .cancel: try cancel()
        case .terminate: try terminate()
        case .changeOptions: try changeOptions()
        case .attach: try attach()
        case .update: try update()
        case .reapplyUpdate: try reapplyUpdate()
        case .pollWorkflowTask: try pollWorkflowTask()
        case .answerWorkflowTask: try answerWorkflowTask()
        case .failWorkflowTask: try failWorkflowTask()
        case .repeatCompletion: try repeatCompletion()
        case .staleWorkflowTask: try staleWorkflowTask()
        case .pollActivity: try pollActivity()
        case .returnActivity: try returnActivity()
        case .answerActivity: try answerActivity()
        case .heartbeat: try heartbeat()
        case .staleActivity: try staleActivity()
        case .operateOnActivity: try operateOnActivity()
        case .time: try passTime()
        case .crash: try crash()
        case .stickyAbandoned: try abandonSticky()
        case .answerDebt: try answerDebt()
        case .endChild: try endChild()
        }
    }

    func start() throws {
        if !random.once(in: 3) { origin = Samples.origin("start") }
        let requestID = random.once(in: 4) ? "" : "request-0"
        var lineage = lineage()
        if random.once(in: 3) {
            lineage.parent = Samples.childLineage.parent
            lineage.root = Samples.childLineage.root
        }
        let request = try Samples.start(requestID: requestID, origin: origin, lineage: lineage) { request in
            if random.once(in: 4) { request.workflowExecutionTimeout = interval(.seconds(5), .seconds(4_000)).duration }
            if random.once(in: 4) { request.workflowRunTimeout = interval(.seconds(5), .seconds(4_000)).duration }
            if random.once(in: 4) { request.workflowTaskTimeout = interval(.seconds(1), .seconds(200)).duration }
            if random.once(in: 6) {
                request.cronSchedule = random.once(in: 2) ? "@every 7s" : "*/5 * * * *"
            } else if random.once(in: 5) {
                request.workflowStartDelay = interval(.seconds(1), .seconds(20)).duration
            }
            if random.once(in: 2) {
                var policy = RetryPolicy()
                policy.maximumAttempts = Int32.random(in: 1...3, using: &random)
                policy.initialInterval = interval(.seconds(1), .seconds(4)).duration
                if random.once(in: 2) {
                    // No retry comes in time.
                    policy.initialInterval = Interval.seconds(5_000).duration
                    request.workflowExecutionTimeout = interval(.seconds(60), .seconds(4_000)).duration
                }
                policy.nonRetryableErrorTypes = random.once(in: 3) ? ["Broken"] : []
                request.retryPolicy = policy
            }
            if random.once(in: 3) { request.memo = Samples.memo(["a": "1", "b": "2"]) }
            if random.once(in: 3) { request.searchAttributes = Samples.searchAttributes(["Place": "x"]) }
            if random.once(in: 2) { request.input = random.once(in: 2) ? nil : RawMessage() }
        }
        try perform("start") { execution throws(RequestError) in execution.decide(request, at: now) }
    }

    /// Now and then the run continues a chain.
    private func lineage() -> Lineage {
        var lineage = Lineage()
        guard random.once(in: 5) else { return lineage }
        lineage.continuedRunID = RunID(high: 1, low: 2)
        lineage.firstRunID = RunID(high: 1, low: 1)
        lineage.initiator = random.once(in: 2) ? .retry : .workflow
        lineage.attempt = Int32.random(in: 1...3, using: &random)
        lineage.expiration = now + interval(.seconds(5), .seconds(4_000))
        lineage.lastFailure = random.once(in: 2) ? Samples.failure("before") : nil
        lineage.publishedStatusEvents = origin == nil ? 0 : 1
        lineage.resetPoints = ResetPoints()
        lineage.resetPoints?.points = (0..<Int.random(in: 0...2, using: &random)).map { number in
            var point = ResetPointInfo()
            point.buildID = "build \(number)"
            point.runID = lineage.continuedRunID?.description ?? ""
            point.firstWorkflowTaskCompletedID = 4
            return point
        }
        continuesChain = true
        return lineage
    }

    func interval(_ low: Interval, _ high: Interval) -> Interval {
        Interval(nanoseconds: Int64.random(in: low.nanoseconds...high.nanoseconds, using: &random))
    }

    private func signal() throws {
        let name = "signal-\(acceptedSignals.count)"
        let requestID = random.once(in: 3) ? "" : "request-\(Int.random(in: 0..<9, using: &random))"
        let sender = random.once(in: 3) ? Samples.origin("signal-command") : nil
        let request: SignalRequest
        do throws(RequestError) {
            request = try Samples.signal(name, requestID: requestID, origin: sender, limits: limits)
        } catch { return }
        let isKnown = !requestID.isEmpty && seenRequestIDs.contains(requestID)
        let isRunning = execution.isRunning
        let decision = try perform("signal \(name) \(requestID)") { execution throws(RequestError) in
            try execution.decide(request, at: now, limits: limits)
        }
        try require(isRunning || isKnown || decision == nil, "a closed run took a signal")
        guard let decision else { return }
        if endedByLimit(decision) { return }
        try require(decision.entries.isEmpty == isKnown, "request id \(requestID) known: \(isKnown)")
        try require(decision.statusEvents.count == (isKnown || sender == nil ? 0 : 1), "a signal's events")
        guard !isKnown else { return }
        acceptedSignals.append(name)
        if !requestID.isEmpty { seenRequestIDs.insert(requestID) }
    }

    private func cancel() throws {
        let sender = random.once(in: 3) ? Samples.origin("cancel-command") : nil
        let request = CancelRequest(reason: "no more", identity: "client", requestID: "", origin: sender)
        try perform("cancel") { execution throws(RequestError) in try execution.decide(request, at: now) }
    }

    private func changeOptions() throws {
        let key = Int32.random(in: 1...3, using: &random)
        let paths = [["priority"], ["priority.priority_key"], []][Int.random(in: 0..<3, using: &random)]
        var options = WorkflowExecutionOptions()
        options.priority = Priority()
        options.priority?.priorityKey = key
        let request = try ExecutionOptionsRequest(options, paths: paths, identity: "client", limits: limits)
        let isRunning = execution.isRunning
        let before = execution.durable.priority
        let decision = try perform("options \(paths) \(key)") { execution throws(RequestError) in
            try execution.decide(request, at: now)
        }
        try require(isRunning == (decision != nil), "a change of options was taken or refused wrongly")
        guard isRunning, let decision, !endedByLimit(decision) else { return }
        let after = execution.durable.priority
        try require(paths.isEmpty ? after == before : after?.priorityKey == key, "the options are not what was asked")
    }

    /// A start uses the run.
    private func attach() throws {
        guard execution.isRunning else { return }
        attachments += 1
        let start = try Samples.start(requestID: "attached-\(attachments)") { request in
            request.onConflictOptions = .with { $0.attachRequestID = true }
        }
        let decision = try perform("attach") { execution throws(RequestError) in
            execution.decide(attaching: start, at: now)
        }
        try require(decision?.entries.isEmpty == false, "a start was not attached")
    }

    private func terminate() throws {
        guard !execution.isRunning || random.once(in: 4) else { return }
        let sender = random.once(in: 3) ? Samples.origin("terminate-command") : nil
        let request = TerminateRequest(reason: "enough", details: nil, identity: "client", origin: sender)
        let isRunning = execution.isRunning
        let decision = try perform("terminate") { execution throws(RequestError) in
            try execution.decide(request, at: now)
        }
        try require(isRunning == (decision != nil), "a termination was taken or refused wrongly")
        try require(!execution.isRunning, "a terminated run goes on")
    }

    /// Time passes: a little, to just the next deadline, or far.
    private func passTime() throws {
        switch Int.random(in: 0..<10, using: &random) {
        case 0..<4: now = now + interval(.milliseconds(1), .milliseconds(400))
        case 4..<8: if let next = execution.nextDeadline { now = max(now, next) }
        case 8: now = now + interval(.seconds(1), .seconds(15))
        default: now = now + interval(.seconds(15), .seconds(600))
        }
        var rounds = 0
        while let next = execution.nextDeadline, next <= now {
            rounds += 1
            try require(rounds < 100, "there is always something due")
            let decision = try perform("due") { execution throws(RequestError) in
                execution.decideDue(at: now, after: outage, limits: limits, successorID: Samples.nextRunID)
            }
            execution.discardDeadlines(until: now)
            try checkLive()
            // What was put off by a moment is looked at then.
            if decision?.entries.contains(where: \.isMoved) == true, random.once(in: 2) { now = now + .milliseconds(1) }
        }
    }

    private func crash() throws {
        var rebuilt = try rebuild(try journal.rows().flatMap { try $0.entries() })
        try checkEqual(rebuilt, "the state after a crash")
        outage = WorkerOutage(end: now, grace: random.once(in: 2) ? .seconds(5) : .zero)
        rebuilt.rebuildDeadlines()
        replaceExecution(with: rebuilt)
        epoch += 1
        abandonedTask = 0
        offers = execution.dueTasks()
        let decision = try perform("recover") { execution throws(RequestError) in execution.decideRecovery(at: now) }
        try require(execution.durable.bufferedEvents.isEmpty, "events wait still after the recovery")
        let again = execution.decideRecovery(at: now)
        try require(again.entries.isEmpty, "a second recovery did something after \(decision?.outline ?? [])")
    }

    private func abandonSticky() throws {
        guard let task = execution.workflowTask, abandonedTask != task.scheduledEventID else { return }
        let stamp = task.stamp
        let decision = try perform("sticky queue abandoned") { execution throws(RequestError) in
            abandonedTask = task.scheduledEventID
            return execution.decideStickyAbandoned(stamp, at: now)
        }
        try require(decision?.entries.isEmpty == (execution.volatile.startedTask != nil), "abandoned or not wrongly")
    }
}

extension Entry {
    fileprivate var isMoved: Bool {
        if case .volatile(.deadlineMoved) = self { true } else { false }
    }
}
