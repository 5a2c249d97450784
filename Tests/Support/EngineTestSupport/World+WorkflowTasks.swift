internal import SagamoreAPI
internal import SagamoreEngine
internal import SagamoreProtobuf

/// What workers do with workflow tasks.
extension World {
    func pollWorkflowTask() throws {
        let workflowTasks = offers.filter { if case .workflow = $0 { true } else { false } }
        guard let offer = workflowTasks.randomElement(using: &random) else { return }
        guard case .workflow(_, let sticky, let stamp) = offer else { return }
        offers.removeAll { $0 == offer }
        let isDue =
            execution.isRunning && execution.volatile.startedTask == nil && execution.workflowTask?.stamp == stamp
        if isDue, let ended = execution.endedByLimit(beforeWorkflowTask: true, at: now, limits) {
            try perform("poll at a limit") { _ throws(RequestError) in ended }
            return
        }
        let request = WorkflowTaskStartRequest(
            stamp: stamp,
            isSticky: !sticky.isEmpty && !random.once(in: 3),
            identity: "worker",
            requestID: "poll-\(random.next())",
            buildID: random.once(in: 2) ? "build" : "",
            nonce: random.next(),
            epoch: epoch
        )
        let decision = try perform("poll workflow task \(stamp.scheduledEventID)#\(stamp.attempt)") {
            execution throws(RequestError) in try execution.decide(request, at: now, limits: limits)
        }
        try require(isDue == (decision != nil), "a workflow task was given or refused wrongly")
        guard let decision else { return }
        guard case .workflowTask(let delivery) = decision.reply else {
            throw violation("no workflow task in the reply")
        }
        try receive(delivery)
    }

    private func receive(_ delivery: WorkflowTaskDelivery) throws {
        try require(
            delivery.unwrittenEvents.first?.event.eventID == delivery.lastWrittenEventID + 1,
            "the delivered events have a gap"
        )
        try require(
            delivery.unwrittenEvents.last?.event.eventID == delivery.task.startedEventID,
            "the delivered events do not end with Started"
        )
        try require(delivery.lastWrittenEventID == execution.durable.lastEventID, "lastWrittenEventID")
        tokens.append(Stage.token(of: delivery.task))
    }

    func answerWorkflowTask() throws {
        guard let started = execution.volatile.startedTask else { return }
        var request = RespondWorkflowTaskCompletedRequest()
        request.identity = "worker"
        request.commands = commands()
        addMessages(to: &request)
        request.forceCreateNewWorkflowTask = random.once(in: 8)
        request.returnNewWorkflowTask = random.once(in: 2)
        if random.once(in: 2) {
            var attributes = StickyExecutionAttributes()
            attributes.workerTaskQueue = Samples.queue("sticky")
            attributes.scheduleToStartTimeout = Interval.seconds(random.once(in: 4) ? 0 : 10).duration
            request.stickyAttributes = attributes
        }
        // More builds than are kept, now and then.
        let build = random.once(in: 4) ? Int.random(in: 0..<40, using: &random) : random.once(in: 2) ? 1 : 0
        if build > 0 {
            request.workerVersionStamp = WorkerVersionStamp()
            request.workerVersionStamp?.buildID = "build \(build / 2)"
            if build % 2 == 0 { request.binaryChecksum = "checksum \(build)" }
        }
        let token = Stage.token(of: started)
        let completion = WorkflowTaskCompletedRequest(token: token, request: request, namespace: Samples.namespace)
        let nextNonce = random.next()
        let names = request.commands.map(\.commandType.description).joined(separator: ", ")
        let decision = try perform("complete workflow task [\(names)]") { execution throws(RequestError) in
            try execution.decide(
                completion,
                nextNonce: nextNonce,
                at: now,
                limits: limits,
                successorID: execution.needsSuccessorID(for: completion) ? Samples.nextRunID : nil
            )
        }
        guard let decision else {
            let isRunning = execution.volatile.startedTask?.nonce == started.nonce
            // A command behind the end of the run, or in a later attempt any that can't be carried out.
            let mayBeRefused = names.contains("EXECUTION") || started.attempt > 1
            try require(isRunning && mayBeRefused, "a good completion was refused")
            return
        }
        switch decision.reply {
        case .completion(let answer):
            lastCompletion = (completion, answer)
            try require(
                execution.workflowTask == nil || answer.nextTask != nil || !offers.isEmpty,
                "no next task"
            )
            for activity in answer.eagerActivities { take(activity) }
            if let next = answer.nextTask { try receive(next) }
        case .refused:
            try require(execution.volatile.startedTask == nil, "a refused task goes on")
        default:
            throw violation("a completion was answered with something else")
        }
    }

    func failWorkflowTask() throws {
        guard let started = execution.volatile.startedTask else { return }
        let token = Stage.token(of: started)
        let decision = try perform("fail workflow task") { execution throws(RequestError) in
            try execution.decide(
                failed: token,
                cause: .workflowWorkerUnhandledFailure,
                failure: Samples.failure("defect"),
                identity: "worker",
                at: now
            )
        }
        try require(decision != nil, "a task could not be failed")
    }

    /// The worker did not get the answer, and asks again.
    func repeatCompletion() throws {
        guard let last = lastCompletion, let completed = execution.durable.completedTask else { return }
        let isLast = completed.nonce == last.request.token.nonce
        let decision = try perform("complete workflow task again") { execution throws(RequestError) in
            let id = Samples.nextRunID
            return try execution.decide(last.request, nextNonce: 0, at: now, limits: limits, successorID: id)
        }
        guard isLast else {
            try require(decision == nil, "an old completion was taken")
            return
        }
        guard let decision, case .completion(let answer) = decision.reply else {
            throw violation("a repeated completion was refused")
        }
        try require(decision.entries.isEmpty && decision.offers.isEmpty, "a repeated completion did something")
        let expected = last.answer.eagerActivities.filter { eager in
            let activity = execution.durable.activities[eager.activity.scheduledEventID]
            let isAsBefore = activity?.attempt == 1 && activity?.startedRequestID.hasPrefix("poll") == false
            return execution.isRunning && isAsBefore && activity?.startedAt == eager.startedAt
        }
        let ids = answer.eagerActivities.map(\.activity.scheduledEventID)
        try require(ids == expected.map(\.activity.scheduledEventID), "another answer: \(ids)")
        let next = last.answer.nextTask.flatMap { next in
            execution.volatile.startedTask?.nonce == next.task.nonce ? next : nil
        }
        try require(answer.nextTask?.task.nonce == next?.task.nonce, "another further task")
        // Of a speculative task, Scheduled may have been written since.
        try require(answer.nextTask?.end == next?.end, "another further task's history")
    }

    /// A token from before: of a task that has ended, or of an owner that is gone.
    func staleWorkflowTask() throws {
        guard let token = tokens.randomElement(using: &random) else { return }
        let started = execution.volatile.startedTask
        guard token.nonce != started?.nonce, token.nonce != execution.durable.completedTask?.nonce else { return }
        let decision = try perform("stale workflow task") { execution throws(RequestError) in
            try execution.decide(failed: token, cause: .unspecified, failure: nil, identity: "worker", at: now)
        }
        try require(decision == nil, "a stale token was taken")
    }
}

extension WorkflowTaskDelivery {
    /// The last event of the worker's history.
    fileprivate var end: Int64 { lastWrittenEventID + Int64(unwrittenEvents.count) }
}
