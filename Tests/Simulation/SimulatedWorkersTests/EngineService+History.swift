import SagamoreAPI
import SagamoreEngine
import SagamoreProtobuf
import SagamoreServices

extension EngineService: HistoryClient {
    func start(_ request: StartRequest, namespace: Int32, reply: Reply<StartedRun>) {
        let wire = request.request
        let key = WorkflowKey(namespace: namespace, workflowID: wire.workflowID)
        let old = current[key].flatMap { runs[$0] }
        if let old, old.startRequestID == wire.requestID, bug != .forgottenRequestID {
            return reply.succeed(StartedRun(runID: old.id, isNew: true, status: old.execution.durable.status))
        }
        if let old, old.execution.isRunning {
            if wire.workflowIDReusePolicy == .terminateIfRunning
                || wire.workflowIDConflictPolicy == .terminateExisting
            {
                let terminate = TerminateRequest(reason: "replaced", identity: serverIdentity)
                if let decision = try? old.execution.decide(terminate, at: now) { apply(decision, to: old) }
            } else if wire.workflowIDConflictPolicy == .useExisting {
                return reply.succeed(StartedRun(runID: old.id, isNew: false, status: .running))
            } else {
                return reply.fail(RequestError(.alreadyExists, "running"))
            }
        } else if let old {
            let isRefused =
                wire.workflowIDReusePolicy == .rejectDuplicate
                || (wire.workflowIDReusePolicy == .allowDuplicateFailedOnly
                    && old.execution.durable.status == .completed)
            if isRefused { return reply.fail(RequestError(.alreadyExists, "closed")) }
        }
        let run = EngineRun(
            key,
            RunID(at: now, random: (random.next(), random.next())),
            startRequestID: wire.requestID
        )
        runs[run.id] = run
        order.append(run.id)
        current[key] = run.id
        apply(run.execution.decide(request, at: now), to: run)
        later { reply.succeed(StartedRun(runID: run.id, isNew: true, status: .running)) }
    }

    /// Decides on a run, and answers once that is committed.
    func decide<Success: Sendable>(
        _ reference: WorkflowReference,
        _ reply: Reply<Success>,
        _ body: (EngineRun) throws(RequestError) -> Decision,
        _ answer: @escaping (EngineRun, Decision) -> Success
    ) {
        do {
            let run = try self.run(reference)
            let decision = try body(run)
            apply(decision, to: run)
            later {
                if case .refused(let error) = decision.reply { return reply.fail(error) }
                reply.succeed(answer(run, decision))
            }
        } catch {
            reply.fail(error)
        }
    }

    func signal(_ workflow: WorkflowReference, _ request: SignalRequest, reply: Reply<RunID>) {
        if bug == .lostSignal, random.below(8) == 0, let run = try? run(workflow) { return reply.succeed(run.id) }
        decide(workflow, reply) { (run) throws(RequestError) in
            try run.execution.decide(request, at: now)
        } _: {
            run,
            _ in
            run.id
        }
    }

    func cancel(_ workflow: WorkflowReference, _ request: CancelRequest, reply: Reply<Void>) {
        decide(workflow, reply) { (run) throws(RequestError) in
            try run.execution.decide(request, at: now)
        } _: { _, _ in
        }
    }

    func resetStickyQueue(_ workflow: WorkflowReference, reply: Reply<Void>) {
        decide(workflow, reply) { (run) throws(RequestError) in
            run.execution.decideStickyReset(at: now)
        } _: { _, _ in
        }
    }

    func terminate(_ workflow: WorkflowReference, _ request: TerminateRequest, reply: Reply<Void>) {
        decide(workflow, reply) { (run) throws(RequestError) in
            try run.execution.decide(request, at: now)
        } _: { _, _ in
        }
    }

    func describe(_ workflow: WorkflowReference, reply: Reply<DescribeWorkflowExecutionResponse>) {
        do {
            let run = try self.run(workflow)
            var info = WorkflowExecutionInfo()
            info.status = run.execution.durable.status
            var execution = WorkflowExecution()
            execution.runID = run.id.description
            info.execution = execution
            var response = DescribeWorkflowExecutionResponse()
            response.workflowExecutionInfo = info
            later { [response] in reply.succeed(response) }
        } catch {
            reply.fail(error)
        }
    }

    func readHistory(_ workflow: WorkflowReference, _ request: HistoryRead, reply: Reply<HistoryPage>) {
        do {
            let run = try self.run(workflow)
            let first = Int(request.pageToken.first ?? 1) + 256 * Int(request.pageToken.last ?? 0)
            if request.onlyCloseEvent {
                if !run.execution.isRunning {
                    return reply.succeed(HistoryPage(frames: run.frames.last ?? [], nextPageToken: []))
                }
                run.waiters.append { [self] in readHistory(workflow, request, reply: reply) }
                return
            }
            if request.waitsForNews, first > run.frames.count, run.execution.isRunning {
                run.waiters.append { [self] in readHistory(workflow, request, reply: reply) }
                return
            }
            let limit = min(pageLimit, request.pageSize > 0 ? request.pageSize : Int.max)
            reply.succeed(page(of: run, from: first, limit: limit, isFollowed: request.waitsForNews))
        } catch {
            reply.fail(error)
        }
    }

    private func page(of run: EngineRun, from first: Int, limit: Int, isFollowed: Bool) -> HistoryPage {
        let last = limit < run.frames.count - first + 1 ? first + limit - 1 : run.frames.count
        var frames = first <= last ? run.frames[(first - 1)...(last - 1)].flatMap { $0 } : []
        let isOpen = run.execution.isRunning
        if last < run.frames.count || (isFollowed && isOpen) {
            return HistoryPage(frames: frames, nextPageToken: [UInt8((last + 1) % 256), UInt8((last + 1) / 256)])
        }
        frames += run.execution.unwrittenEvents().flatMap(\.frame)
        return HistoryPage(frames: frames, nextPageToken: [])
    }

    // MARK: Workflow tasks

    func startWorkflowTask(_ task: MatchingTask, for poller: PollerIdentity, reply: Reply<PolledWorkflowTask>) {
        guard let run = runs[task.runID] else { return reply.fail(.workflowTaskNotFound) }
        if case .query(let id, let isSticky) = task.kind { return startQuery(id, run, isSticky, reply) }
        guard case .workflow(let stamp, let isSticky) = task.kind else { return reply.fail(.workflowTaskNotFound) }
        let request = WorkflowTaskStartRequest(
            stamp: stamp,
            isSticky: isSticky,
            identity: poller.identity,
            requestID: poller.requestID,
            nonce: random.next(),
            epoch: epoch
        )
        // A query that is asked later may have to show a signal that this task's history lacks.
        let queries = run.queries
        decide(WorkflowReference(key: run.key, runID: run.id), reply) { (run) throws(RequestError) in
            try run.execution.decide(request, at: now)
        } _: { [self] run, decision in
            guard case .workflowTask(let delivery) = decision.reply else { return .none }
            return .task(assigned(delivery, run, queries))
        }
    }

    private func assigned(
        _ delivery: WorkflowTaskDelivery,
        _ run: EngineRun,
        _ asked: [UInt64]
    ) -> AssignedWorkflowTask {
        let first = delivery.isSticky ? Int(delivery.previousStartedEventID) + 1 : 1
        let end = min(Int(delivery.lastWrittenEventID), pageLimit < Int.max ? first + pageLimit - 1 : Int.max)
        let isWhole = end == Int(delivery.lastWrittenEventID)
        var history = run.frames[(first - 1)..<end].flatMap { $0 }
        if bug == .skippedEvent, delivery.isSticky, end - first > 2 {
            history = (run.frames[(first - 1)..<(end - 2)] + run.frames[(end - 1)..<end]).flatMap { $0 }
        }
        if isWhole { history += delivery.unwrittenEvents.flatMap(\.frame) }
        var queries = ProtobufMap<WorkflowQuery>()
        for id in asked { if let query = self.queries[id] { queries[String(id)] = query.query } }
        return AssignedWorkflowTask(
            key: run.key,
            runID: run.id,
            delivery: delivery,
            token: TaskToken.workflow(
                WorkflowTaskToken(
                    key: run.key,
                    runID: run.id,
                    startedEventID: delivery.task.startedEventID,
                    attempt: delivery.task.attempt,
                    nonce: delivery.task.nonce,
                    epoch: delivery.task.epoch
                )
            ).bytes,
            history: history,
            nextPageToken: isWhole ? [] : [UInt8((end + 1) % 256), UInt8((end + 1) / 256)],
            queries: queries
        )
    }

    func completeWorkflowTask(
        _ token: WorkflowTaskToken,
        _ request: RespondWorkflowTaskCompletedRequest,
        reply: Reply<SagamoreServices.CompletedWorkflowTask>
    ) {
        let completion = WorkflowTaskCompletedRequest(token: token, request: request)
        let nextNonce = random.next()
        decide(WorkflowReference(key: token.key, runID: token.runID), reply) { (run) throws(RequestError) in
            let decision = try run.execution.decide(completion, nextNonce: nextNonce, at: now)
            switch decision.reply {
            case .refused(let error) where !error.message.hasPrefix("UnhandledCommand"):
                refusedCommands.append(error.message)
            case .completion: answer(request.queryResults, of: run)
            default: break
            }
            return decision
        } _: { [self] run, decision in
            guard case .completion(let completion) = decision.reply else {
                return CompletedWorkflowTask(eagerActivities: [], nextTask: nil)
            }
            let eager = completion.eagerActivities.map {
                AssignedActivityTask(key: run.key, runID: run.id, delivery: $0)
            }
            return CompletedWorkflowTask(
                eagerActivities: eager,
                nextTask: completion.nextTask.map { assigned($0, run, []) },
                resetHistoryEventID: completion.resetHistoryEventID
            )
        }
    }

    func failWorkflowTask(
        _ token: WorkflowTaskToken,
        cause: WorkflowTaskFailedCause,
        failure: RawMessage<Failure>?,
        identity: String,
        reply: Reply<Void>
    ) {
        decide(WorkflowReference(key: token.key, runID: token.runID), reply) { (run) throws(RequestError) in
            try run.execution.decide(failed: token, cause: cause, failure: failure, identity: identity, at: now)
        } _: { _, _ in
        }
    }

    func abandonSticky(_ task: MatchingTask) {}

    func submit(_ command: IncomingCommand, reply: Reply<CommandOutcome>) { reply.fail(.unavailable("no topics")) }

    func deadLetter(_ source: RecordCoordinates, _ letter: OutboxRecord, reply: Reply<CommandOutcome>) {
        reply.fail(.unavailable("no topics"))
    }
}
