package import SagamoreAPI
package import SagamoreEngine
package import SagamoreProtobuf

/// One execution with a clock and a memory of what was written: requests are decided and applied at once, as a shard
/// does.
package final class Stage {
    package private(set) var execution: SagamoreEngine.Execution
    package var now = Samples.noon
    package var limits = Limits()
    package var outage = WorkerOutage.none
    package private(set) var entries: [Entry] = []
    private var nonces: UInt64 = 0x0FFF_FFFF_0000_0000
    private var epoch: Int64 = 1

    package init() {
        execution = SagamoreEngine.Execution(key: Samples.key, runID: Samples.runID)
    }

    /// The run that follows the one that a decision ended, at the time of its start.
    package convenience init?(following decision: Decision, limits: Limits = Limits()) {
        guard let successor = decision.successor else { return nil }
        self.init()
        execution = SagamoreEngine.Execution(key: Samples.key, runID: successor.runID)
        self.limits = limits
        now = successor.at
        startDecision = apply(execution.decide(successor.start, at: now))
    }

    /// How the run started that follows another one.
    package private(set) var startDecision: Decision?

    package var history: [HistoryEvent] {
        entries.compactMap { entry in
            if case .event(let recorded) = entry { recorded.event } else { nil }
        }
    }

    package var historyOutline: [String] {
        history.map { "\($0.eventID) \($0.eventType.shortName)" }
    }

    /// Applies a decision's entries, or those that end the run if the decision exceeds a limit of its history.
    @discardableResult
    package func apply(_ given: Decision) -> Decision {
        let decision = execution.limit(of: given, at: now, limits) ?? given
        for entry in decision.entries {
            do throws(InvalidEntry) { try execution.validate(entry) } catch { preconditionFailure("\(error)") }
            execution.apply(entry)
            if entry.isDurable { entries.append(entry) }
        }
        return decision
    }

    package func pass(_ interval: Interval) { now = now + interval }

    /// Decides what is due until nothing is.
    @discardableResult
    package func passAndDecide(_ interval: Interval) -> [Decision] {
        pass(interval)
        var decisions: [Decision] = []
        while let next = execution.nextDeadline, next <= now {
            let decision = apply(
                execution.decideDue(at: now, after: outage, limits: limits, successorID: Samples.nextRunID)
            )
            execution.discardDeadlines(until: now)
            decisions.append(decision)
        }
        return decisions
    }

    /// The process is gone: what is written is read back, and a new owner takes over.
    @discardableResult
    package func crash(grace: Interval = .zero) -> Decision {
        var rebuilt = SagamoreEngine.Execution(key: execution.key, runID: execution.runID)
        for entry in entries { rebuilt.apply(entry) }
        rebuilt.rebuildDeadlines()
        outage = WorkerOutage(end: now, grace: grace)
        execution = rebuilt
        epoch += 1
        return apply(execution.decideRecovery(at: now))
    }
}

/// Requests.
extension Stage {
    @discardableResult
    package func start(
        requestID: String = "start",
        origin: CommandOrigin? = nil,
        lineage: Lineage = Lineage(),
        _ adjust: (inout StartWorkflowExecutionRequest) -> Void = { _ in }
    ) throws(RequestError) -> Decision {
        let request = try Samples.start(
            requestID: requestID,
            origin: origin,
            lineage: lineage,
            limits: limits,
            adjust
        )
        return apply(execution.decide(request, at: now))
    }

    @discardableResult
    package func signal(
        _ name: String,
        requestID: String = "",
        origin: CommandOrigin? = nil
    ) throws(RequestError) -> Decision {
        let request = try Samples.signal(name, requestID: requestID, origin: origin, limits: limits)
        return apply(try execution.decide(request, at: now, limits: limits))
    }

    @discardableResult
    package func cancel(
        _ reason: String = "",
        requestID: String = "",
        origin: CommandOrigin? = nil,
        sender: MessageSender? = nil
    ) throws(RequestError) -> Decision {
        let request = CancelRequest(
            reason: reason,
            identity: "client",
            requestID: requestID,
            origin: origin,
            sender: sender
        )
        return apply(try execution.decide(request, at: now))
    }

    @discardableResult
    package func terminate(_ reason: String = "enough", origin: CommandOrigin? = nil) throws(RequestError) -> Decision {
        let request = TerminateRequest(reason: reason, identity: "client", origin: origin)
        return apply(try execution.decide(request, at: now))
    }

    /// A worker polls and gets the workflow task that is due.
    @discardableResult
    package func pollWorkflowTask(sticky: Bool = false) throws(RequestError) -> Decision {
        let stamp = execution.workflowTask?.stamp ?? WorkflowTaskStamp(scheduledEventID: 0, attempt: 0)
        nonces += 1
        let request = WorkflowTaskStartRequest(
            stamp: stamp,
            isSticky: sticky,
            identity: "worker",
            requestID: "poll-\(nonces & 0xFFFF)",
            nonce: nonces,
            epoch: epoch
        )
        return apply(try execution.decide(request, at: now, limits: limits))
    }

    /// The token of the task that a worker has.
    package var token: WorkflowTaskToken { Self.token(of: execution.volatile.startedTask) }

    package static func token(of task: StartedWorkflowTask?) -> WorkflowTaskToken {
        WorkflowTaskToken(
            key: Samples.key,
            runID: Samples.runID,
            startedEventID: task?.startedEventID ?? 0,
            attempt: task?.attempt ?? 0,
            nonce: task?.nonce ?? 0,
            epoch: task?.epoch ?? 0
        )
    }

    /// The worker answers the task that it has, or another one.
    @discardableResult
    package func complete(
        _ commands: Command...,
        sticky: String = "",
        token: WorkflowTaskToken? = nil,
        _ adjust: (inout RespondWorkflowTaskCompletedRequest) -> Void = { _ in }
    ) throws(RequestError) -> Decision {
        var request = RespondWorkflowTaskCompletedRequest()
        request.commands = commands
        request.identity = "worker"
        if !sticky.isEmpty {
            var attributes = StickyExecutionAttributes()
            attributes.workerTaskQueue = Samples.queue(sticky)
            attributes.scheduleToStartTimeout = Interval.seconds(10).duration
            request.stickyAttributes = attributes
        }
        adjust(&request)
        nonces += 1
        let completion = WorkflowTaskCompletedRequest(
            token: token ?? self.token,
            request: request,
            namespace: Samples.namespace
        )
        let id = Samples.nextRunID
        return apply(
            try execution.decide(completion, nextNonce: nonces, at: now, limits: limits, successorID: id)
        )
    }

    /// A whole workflow task: polled and answered.
    @discardableResult
    package func run(_ commands: Command..., sticky: String = "") throws(RequestError) -> Decision {
        try pollWorkflowTask(sticky: !execution.durable.stickyQueue.isEmpty)
        return try complete(sticky: sticky) { $0.commands = commands }
    }

    @discardableResult
    package func failTask(
        _ cause: WorkflowTaskFailedCause = .workflowWorkerUnhandledFailure,
        token: WorkflowTaskToken? = nil
    ) throws(RequestError) -> Decision {
        let failure = Samples.failure("defect")
        let token = token ?? self.token
        return apply(try execution.decide(failed: token, cause: cause, failure: failure, identity: "worker", at: now))
    }
}

/// Activities.
extension Stage {
    /// The token of an attempt's newest start.
    package func activityToken(_ scheduledEventID: Int64, attempt: Int32 = 1) -> ActivityTaskToken {
        ActivityTaskToken(
            key: Samples.key,
            runID: Samples.runID,
            scheduledEventID: scheduledEventID,
            attempt: attempt,
            nonce: execution.durable.activities[scheduledEventID]?.startedNonce ?? 0
        )
    }

    @discardableResult
    package func pollActivity(_ id: Int64, attempt: Int32 = 1) throws(RequestError) -> Decision {
        nonces += 1
        return apply(
            try execution.decide(
                startActivity: id,
                attempt: attempt,
                identity: "worker",
                requestID: "activity-\(id)-\(attempt)",
                nonce: nonces,
                at: now
            )
        )
    }

    @discardableResult
    package func returnActivity(_ id: Int64, attempt: Int32 = 1) -> Decision {
        apply(execution.decide(activityReturned: activityToken(id, attempt: attempt), at: now))
    }

    @discardableResult
    package func completeActivity(
        _ id: Int64,
        attempt: Int32 = 1,
        result: String? = "booked"
    ) throws(RequestError) -> Decision {
        let token = activityToken(id, attempt: attempt)
        let result = result.map(Samples.payloads)
        return apply(
            try execution.decide(completed: token, result: result, identity: "worker", at: now, limits: limits)
        )
    }

    @discardableResult
    package func failActivity(
        _ id: Int64,
        attempt: Int32 = 1,
        _ failure: RawMessage<Failure>? = Samples.failure("no car"),
        heartbeat: String? = nil
    ) throws(RequestError) -> Decision {
        apply(
            try execution.decide(
                failed: activityToken(id, attempt: attempt),
                failure: failure,
                identity: "worker",
                heartbeat: heartbeat.map(Samples.payloads),
                at: now,
                limits: limits
            )
        )
    }

    @discardableResult
    package func cancelledActivity(
        _ id: Int64,
        attempt: Int32 = 1,
        details: String? = nil
    ) throws(RequestError) -> Decision {
        let token = activityToken(id, attempt: attempt)
        let details = details.map(Samples.payloads)
        return apply(try execution.decide(canceled: token, details: details, identity: "worker", at: now))
    }

    @discardableResult
    package func heartbeat(
        _ id: Int64,
        attempt: Int32 = 1,
        _ details: String? = nil
    ) throws(RequestError) -> Decision {
        let token = activityToken(id, attempt: attempt)
        return apply(
            try execution.decide(heartbeat: token, details: details.map(Samples.payloads), at: now, limits: limits)
        )
    }
}
