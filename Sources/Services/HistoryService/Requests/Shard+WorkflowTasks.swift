internal import SagamoreAPI
internal import SagamoreEngine
internal import SagamorePersistence
internal import SagamoreProtobuf
internal import SagamoreServices

extension Shard {
    /// Matching found a poller for a task.
    func startWorkflowTask(
        _ task: MatchingTask,
        for poller: PollerIdentity,
        _ caller: consuming Caller<PolledWorkflowTask>
    ) {
        if case .query(let id, let isSticky) = task.kind { return startQuery(task, id: id, isSticky: isSticky, caller) }
        guard case .workflow(let stamp, let isSticky) = task.kind else { return caller.refuse(.workflowTaskNotFound) }
        access(task.key, caller) { (access: consuming RunAccess<PolledWorkflowTask>) in
            guard let run = access.run, run.runID == task.runID else { return access.refuseTask(.workflowTaskNotFound) }
            let shard = access.shard
            if shard.endByLimit(run, beforeWorkflowTask: true, in: access.context) {
                return access.refuseTask(.workflowTaskNotFound)
            }
            let request = WorkflowTaskStartRequest(
                stamp: stamp,
                isSticky: isSticky,
                identity: poller.identity,
                requestID: poller.requestID,
                buildID: poller.buildID,
                nonce: shard.state.random.next(),
                epoch: shard.state.ownership.epoch
            )
            let decision: Decision
            do throws(RequestError) {
                let limits = shard.configuration.limits
                decision = try run.decide { (execution) throws(RequestError) in
                    try execution.decide(request, at: shard.clock(), limits: limits)
                }
            } catch {
                return access.refuseTask(error)
            }
            guard case .workflowTask(let delivery) = decision.reply else { return }
            let item = shard.apply(decision, on: run, in: access.context)
            let deliver = shard.delivering(delivery, of: run)
            access.commit(item) { reply in deliver { result in reply.answer(result.map { .task($0) }) } }
        }
    }

    /// Delivers a workflow task as soon as its history is available.
    typealias Delivery =
        @Sendable (
            _ done: @escaping @Sendable (Result<AssignedWorkflowTask, RequestError>) -> Void
        ) -> Void

    /// Under the lock: returns what completes a delivery once everything it shows is committed. The history comes from
    /// memory if it is there, and is read otherwise.
    func delivering(_ delivery: WorkflowTaskDelivery, of run: CachedRun) -> Delivery {
        let started = delivery.task
        let suffix = delivery.unwrittenEvents.flatMap(\.frame)
        // Events that are buffered came behind the start of a task that is delivered again. Queries behind them wait
        // for the next task, whose history shows these events.
        let isCurrent = run.execution.durable.bufferedEvents.isEmpty
        let queries = isCurrent ? state.queries.taskStarted(on: run.runID) : [:]
        let (key, runID) = (run.key, run.runID)
        let token = TaskToken.workflow(
            WorkflowTaskToken(
                key: key,
                runID: runID,
                startedEventID: started.startedEventID,
                attempt: started.attempt,
                nonce: started.nonce,
                epoch: started.epoch
            )
        ).bytes
        @Sendable func assigned(_ page: HistoryPage) -> AssignedWorkflowTask {
            AssignedWorkflowTask(
                key: key,
                runID: runID,
                delivery: delivery,
                token: token,
                history: page.frames,
                nextPageToken: page.nextPageToken,
                queries: queries
            )
        }
        let first = delivery.isSticky ? delivery.previousStartedEventID + 1 : 1
        let tailBegins = run.execution.durable.previousStartedEventID + 1
        // A decision that writes its own events is applied later, so they are not in the tail yet.
        if first == tailBegins, let tail = run.tail, delivery.lastWrittenEventID == run.execution.durable.lastEventID {
            let page = HistoryPage(frames: tail + suffix, nextPageToken: [])
            return { done in done(.success(assigned(page))) }
        }
        let pageToken = HistoryPageToken(
            runID: runID,
            nextEventID: first,
            lastEventID: delivery.lastWrittenEventID,
            suffix: suffix
        )
        return { [self] done in
            readPage(pageToken, of: key, pageSize: .max, failed: { done(.failure($0)) }) { page in
                done(.success(assigned(page)))
            }
        }
    }

    func completeWorkflowTask(
        _ completion: WorkflowTaskCompletedRequest,
        _ caller: consuming Caller<CompletedWorkflowTask>
    ) {
        let token = completion.token
        access(token.key, caller) { (access: consuming RunAccess<CompletedWorkflowTask>) in
            let shard = access.shard
            guard let run = access.run, run.runID == token.runID, !run.isDeleted else {
                if access.context.hasDeleted(token.runID) {
                    return access.fail(.runNotFound(token.key.workflowID, token.runID))
                }
                return shard.completeEarlier(token, access)
            }
            let decision: Decision
            do throws(RequestError) {
                let (nonce, now) = (shard.state.random.next(), shard.clock())
                decision = try run.decide { (execution) throws(RequestError) in
                    try execution.decide(
                        completion,
                        nextNonce: nonce,
                        at: now,
                        limits: shard.configuration.limits,
                        successorID: execution.needsSuccessorID(for: completion)
                            ? shard.successorID(of: run, at: now) : nil
                    )
                }
            } catch {
                return access.fail(error)
            }
            shard.finish(decision, of: run, completion, access)
        }
    }

    /// For a run that is not in memory: the completion that closed it may be repeated, also once another run follows.
    private func completeEarlier(_ token: WorkflowTaskToken, _ access: consuming RunAccess<CompletedWorkflowTask>) {
        guard let current = access.context.row, token.runID <= current.runID else {
            return access.fail(.workflowTaskNotFound)
        }
        if case .closed(let row) = access.context.current, row.runID == token.runID {
            return completeAgain(token, row, access)
        }
        access.lookUp(WorkflowReference(key: token.key, runID: token.runID)) {
            (access: consuming RunAccess<CompletedWorkflowTask>, resolved) in
            let shard = access.shard
            switch resolved {
            case .closed(let row): shard.completeAgain(token, row, access)
            case .missing: access.fail(.workflowTaskNotFound)
            // The run that replaced it could not be stored.
            case .cached: access.fail(.unavailable("the run was not replaced after all; try again"))
            }
        }
    }

    /// For a closed run that is out of memory: the completion that closed it may be repeated and gets the same answer.
    private func completeAgain(
        _ token: WorkflowTaskToken,
        _ row: RunRow,
        _ access: consuming RunAccess<CompletedWorkflowTask>
    ) {
        access.read(row) { run in
            guard let completed = run.execution.durable.completedTask, completed.nonce == token.nonce,
                completed.epoch == token.epoch
            else { return .failure(.workflowTaskNotFound) }
            return .success(CompletedWorkflowTask(eagerActivities: [], nextTask: nil))
        }
    }

    /// Under the lock.
    private func finish(
        _ decision: Decision,
        of run: CachedRun,
        _ completed: WorkflowTaskCompletedRequest,
        _ access: consuming RunAccess<CompletedWorkflowTask>
    ) {
        // Applied first: the routes of the queries depend on whether another task is due.
        let item = apply(decision, on: run, in: access.context)
        let queries: EndedQueries
        switch decision.reply {
        case .completion(let completion):
            // A repeated completion ends no task, and queries ride on the task that runs now. When that one is
            // delivered again, they are, too.
            let isRepeated = decision.entries.isEmpty
            queries =
                isRepeated && completion.nextTask == nil
                ? EndedQueries([]) : endTask(of: run, answers: isRepeated ? [:] : completed.request.queryResults)
            let eager = completion.eagerActivities.map {
                AssignedActivityTask(key: run.key, runID: run.runID, delivery: $0)
            }
            if let next = completion.nextTask {
                let deliver = delivering(next, of: run)
                access.commit(item) { reply in
                    queries.giveAnswers()
                    deliver { result in
                        reply.answer(
                            result.map {
                                CompletedWorkflowTask(
                                    eagerActivities: eager,
                                    nextTask: $0,
                                    resetHistoryEventID: completion.resetHistoryEventID
                                )
                            }
                        )
                    }
                }
            } else {
                access.commit(item) { reply in
                    queries.giveAnswers()
                    reply.succeed(
                        CompletedWorkflowTask(
                            eagerActivities: eager,
                            nextTask: nil,
                            resetHistoryEventID: completion.resetHistoryEventID
                        )
                    )
                }
            }
        case .refused(let error):
            // The worker saw a history that did not happen, so its answers are discarded.
            queries = endTask(of: run, answers: [:])
            access.commit(item) { reply in reply.fail(error) }
        default:
            queries = endTask(of: run, answers: completed.request.queryResults)
            access.commit(item) { reply in
                queries.giveAnswers()
                reply.succeed(CompletedWorkflowTask(eagerActivities: [], nextTask: nil))
            }
        }
        // After the item: a failure may reveal that the run has closed.
        carryOut(queries.others, seen: run)
    }

    func failWorkflowTask(
        _ token: WorkflowTaskToken,
        cause: WorkflowTaskFailedCause,
        failure: RawMessage<Failure>?,
        identity: String,
        _ caller: consuming Caller<Void>
    ) {
        decide(on: token.key, token.runID, missing: .workflowTaskNotFound, caller) {
            (run, now) throws(RequestError) in
            try run.execution.decide(failed: token, cause: cause, failure: failure, identity: identity, at: now)
        }
    }

    /// The sticky queue's worker is gone. The task moves to the normal queue if it is still current.
    func abandonSticky(_ task: MatchingTask) {
        let retry: @Sendable (RequestError) -> Void = { [self] _ in postpone { [self] in abandonSticky(task) } }
        access(task.key, refuse: retry) { shard, context, _ in
            switch task.kind {
            case .workflow(let stamp, _):
                guard let run = context.cached, run.runID == task.runID else { return }
                let decision = run.execution.decideStickyAbandoned(stamp, at: shard.clock())
                shard.carryOut(decision, on: run, in: context)
            case .query(let id, _):
                shard.state.carryOut(shard.state.queries.workerGone(id))
            case .activity: break
            }
        }
    }

    /// Makes a decision on the current run and replies without a value.
    ///
    /// - Parameter missing: the error if that run is not open; by default, the one for an activity's worker.
    func decide(
        on key: WorkflowKey,
        _ runID: RunID,
        missing: RequestError? = nil,
        _ caller: consuming Caller<Void>,
        _ body: @escaping @Sendable (CachedRun, Instant) throws(RequestError) -> Decision
    ) {
        access(key, caller) { (access: consuming RunAccess<Void>) in
            let (shard, context) = (access.shard, access.context)
            guard let run = access.run, run.runID == runID, !run.isDeleted else {
                // The run that replaced it may not be committed yet.
                return access.fail(missing ?? context.lateAnswer(to: runID))
            }
            let decision: Decision
            do throws(RequestError) {
                decision = try body(run, shard.clock())
            } catch {
                return access.fail(error)
            }
            access.carryOut(decision, on: run, answering: ())
            shard.requeueLostQueries(of: run, in: context)
        }
    }
}

extension WorkflowContext {
    /// The error for an activity's worker whose run is no longer open.
    func lateAnswer(to runID: RunID) -> RequestError {
        if hasDeleted(runID) { return .runNotFound(key.workflowID, runID) }
        return row == nil ? .activityTaskNotFound : .workflowClosed
    }
}
