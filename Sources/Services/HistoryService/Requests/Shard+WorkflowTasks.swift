internal import SagamoreAPI
internal import SagamoreEngine
internal import SagamorePersistence
internal import SagamoreProtobuf
internal import SagamoreServices

extension Shard {
    /// Matching found a poller for a task.
    func startWorkflowTask(_ task: MatchingTask, for poller: PollerIdentity, reply: Reply<PolledWorkflowTask>) {
        if case .query(let id, let isSticky) = task.kind {
            return startQuery(task, id: id, isSticky: isSticky, reply: reply)
        }
        guard case .workflow(let stamp, let isSticky) = task.kind else { return reply.fail(.workflowTaskNotFound) }
        access(task.key, refuse: { reply.fail($0) }) { shard, slot, _ in
            guard let run = slot.cached, run.runID == task.runID else {
                shard.deferred.call { reply.fail(.workflowTaskNotFound) }
                return
            }
            let request = WorkflowTaskStartRequest(
                stamp: stamp,
                isSticky: isSticky,
                identity: poller.identity,
                requestID: poller.requestID,
                buildID: poller.buildID,
                nonce: shard.random.next(),
                epoch: shard.epoch
            )
            do throws(RequestError) {
                let decision = try run.execution.decide(request, at: shard.clock(), limits: shard.configuration.limits)
                guard case .workflowTask(let delivery) = decision.reply else { return }
                shard.carryOut(
                    decision,
                    on: run,
                    in: slot,
                    release: shard.delivering(delivery, of: run) { result in
                        reply.answer(result.map { .task($0) })
                    },
                    refuse: { reply.fail($0.error) }
                )
            } catch {
                shard.deferred.call { reply.fail(error) }
            }
        }
    }

    /// Under the lock: what completes a delivery once all it shows is committed. The history comes from memory where it
    /// is there, else it is read.
    private func delivering(
        _ delivery: WorkflowTaskDelivery,
        of run: CachedRun,
        done: @escaping @Sendable (Result<AssignedWorkflowTask, RequestError>) -> Void
    ) -> @Sendable () -> Void {
        let started = delivery.task
        let suffix = delivery.unwrittenEvents.flatMap(\.frame)
        let queries = self.queries.taskStarted(on: run.runID)
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
        // A decision that writes events of its own is applied after this: they are not in the tail yet.
        if first == tailBegins, let tail = run.tail, delivery.lastWrittenEventID == run.execution.durable.lastEventID {
            let page = HistoryPage(frames: tail + suffix, nextPageToken: [])
            return { done(.success(assigned(page))) }
        }
        let pageToken = HistoryPageToken(
            runID: runID,
            nextEventID: first,
            lastEventID: delivery.lastWrittenEventID,
            suffix: suffix
        )
        return { [self] in
            readPage(pageToken, pageSize: .max, failed: { done(.failure($0)) }) { page in
                done(.success(assigned(page)))
            }
        }
    }

    func completeWorkflowTask(
        _ token: WorkflowTaskToken,
        _ request: RespondWorkflowTaskCompletedRequest,
        reply: Reply<CompletedWorkflowTask>
    ) {
        access(token.key, refuse: { reply.fail($0) }) { shard, slot, _ in
            guard let run = slot.cached, run.runID == token.runID else {
                if case .closed(let row) = slot.current, row.runID == token.runID {
                    return shard.completeAgain(token, row, reply)
                }
                shard.releaseInOrder(
                    run: slot.cached,
                    slot: slot,
                    { reply.fail(.workflowTaskNotFound) },
                    refuse: { reply.fail($0.error) }
                )
                return
            }
            let completion = WorkflowTaskCompletedRequest(
                token: token,
                request: request,
                nextNonce: shard.random.next()
            )
            do throws(RequestError) {
                let decision = try run.execution.decide(
                    completion,
                    at: shard.clock(),
                    limits: shard.configuration.limits
                )
                shard.finish(decision, of: run, in: slot, request, reply)
            } catch {
                let error = error
                shard.releaseInOrder(run: run, slot: slot, { reply.fail(error) }, refuse: { reply.fail($0.error) })
            }
        }
    }

    /// Of a closed run that is out of memory: the completion that closed it may come again, and is answered as before.
    private func completeAgain(_ token: WorkflowTaskToken, _ row: RunRow, _ reply: Reply<CompletedWorkflowTask>) {
        read(row, failed: { reply.fail($0) }) { run in
            guard let completed = run.execution.durable.completedTask, completed.nonce == token.nonce,
                completed.epoch == token.epoch
            else { return reply.fail(.workflowTaskNotFound) }
            reply.succeed(CompletedWorkflowTask(eagerActivities: [], nextTask: nil))
        }
    }

    /// Under the lock.
    private func finish(
        _ decision: Decision,
        of run: CachedRun,
        in slot: WorkflowSlot,
        _ request: RespondWorkflowTaskCompletedRequest,
        _ reply: Reply<CompletedWorkflowTask>
    ) {
        // Applied first: what becomes of the queries depends on whether a further task is due.
        let answered = Answers()
        var respond: @Sendable () -> Void = {}
        var results = request.queryResults
        let release: @Sendable () -> Void = { answered.give() }
        switch decision.reply {
        case .completion(let completion):
            let eager = completion.eagerActivities.map {
                AssignedActivityTask(key: run.key, runID: run.runID, delivery: $0)
            }
            guard let next = completion.nextTask else {
                respond = { reply.succeed(CompletedWorkflowTask(eagerActivities: eager, nextTask: nil)) }
                break
            }
            carryOut(decision, on: run, in: slot, release: release, refuse: { reply.fail($0.error) })
            let queries = endTask(of: run, answers: request.queryResults)
            let deliver = delivering(next, of: run) { result in
                reply.answer(result.map { CompletedWorkflowTask(eagerActivities: eager, nextTask: $0) })
            }
            answered.set {
                for (query, answer) in queries { query.finish(.success(answer)) }
                deliver()
            }
            return
        case .refused(let error):
            // What the worker saw is not what happened: its answers are for nobody.
            results = [:]
            respond = { reply.fail(error) }
        default:
            respond = { reply.succeed(CompletedWorkflowTask(eagerActivities: [], nextTask: nil)) }
        }
        carryOut(decision, on: run, in: slot, release: release, refuse: { reply.fail($0.error) })
        let queries = endTask(of: run, answers: results)
        let answer = respond
        answered.set {
            for (query, answer) in queries { query.finish(.success(answer)) }
            answer()
        }
    }

    func failWorkflowTask(
        _ token: WorkflowTaskToken,
        cause: WorkflowTaskFailedCause,
        failure: RawMessage<Failure>?,
        identity: String,
        reply: Reply<Void>
    ) {
        decide(on: token.key, token.runID, missing: .workflowTaskNotFound, reply: reply) {
            (run, now) throws(RequestError) in
            try run.execution.decide(failed: token, cause: cause, failure: failure, identity: identity, at: now)
        }
    }

    /// The sticky queue's worker is gone: the task goes to the normal queue, where that is still its place.
    func abandonSticky(_ task: MatchingTask) {
        let retry: @Sendable (RequestError) -> Void = { [self] _ in postpone { [self] in abandonSticky(task) } }
        access(task.key, refuse: retry) { shard, slot, _ in
            switch task.kind {
            case .workflow(let stamp, _):
                guard let run = slot.cached, run.runID == task.runID else { return }
                let decision = run.execution.decideStickyAbandoned(stamp, at: shard.clock())
                shard.carryOut(decision, on: run, in: slot)
            case .query(let id, _):
                shard.carryOut(shard.queries.workerGone(id), seen: nil)
            case .activity: break
            }
        }
    }

    /// A decision on the current run whose reply carries nothing.
    ///
    /// - Parameter missing: the error when that run is not open; by default what an activity's worker is told.
    func decide(
        on key: WorkflowKey,
        _ runID: RunID,
        missing: RequestError? = nil,
        reply: Reply<Void>,
        _ body: @escaping @Sendable (CachedRun, Instant) throws(RequestError) -> Decision
    ) {
        access(key, refuse: { reply.fail($0) }) { shard, slot, _ in
            guard let run = slot.cached, run.runID == runID else {
                // The run that took its place may not be committed.
                let error = missing ?? slot.lateAnswer
                shard.releaseInOrder(
                    run: slot.cached,
                    slot: slot,
                    { reply.fail(error) },
                    refuse: { reply.fail($0.error) }
                )
                return
            }
            do throws(RequestError) {
                let decision = try body(run, shard.clock())
                let release: @Sendable () -> Void = { reply.succeed() }
                shard.carryOut(decision, on: run, in: slot, release: release, refuse: { reply.fail($0.error) })
                shard.requeueLostQueries(of: run, in: slot)
            } catch {
                // Also a refusal may show something that is not committed: that a run is closed.
                let error = error
                shard.releaseInOrder(run: run, slot: slot, { reply.fail(error) }, refuse: { reply.fail($0.error) })
            }
        }
    }
}

extension WorkflowSlot {
    /// What an activity's worker is told whose run is not open any more.
    var lateAnswer: RequestError { row == nil ? .activityTaskNotFound : .workflowClosed }
}

/// What a release does when that is known only after its item was queued. Set under the shard's lock; the lane releases
/// an item only after taking that lock.
private final class Answers: @unchecked Sendable {
    private var action: (@Sendable () -> Void)?

    func set(_ action: @escaping @Sendable () -> Void) { self.action = action }

    func give() { action?() }
}
