internal import SagamoreAPI
internal import SagamoreEngine
internal import SagamorePersistence
internal import SagamoreProtobuf
internal import SagamoreServices

/// Updates. The engine knows how far each has come; here are the callers who wait for it.
extension Shard {
    func update(
        _ workflow: WorkflowReference,
        _ request: UpdateRequest,
        waitingFor stage: UpdateWorkflowExecutionLifecycleStage,
        deadline: Instant,
        insteadOf abort: UpdateAbort? = nil,
        _ caller: consuming Caller<UpdateStatus>
    ) {
        guard !isFull else {
            return caller.refuse(
                RequestError(.resourceExhausted, "too many transitions wait to be committed; try again")
            )
        }
        resolve(workflow, caller) { (access: consuming RunAccess<UpdateStatus>, resolved) in
            let shard = access.shard
            switch resolved {
            case .missing: access.fail(abort?.error ?? workflow.missing)
            case .closed(let row):
                if let abort { return access.fail(abort.error) }
                access.answerFromStore { shard.readStatus(ofUpdate: request.id, row, else: .workflowClosed, $0) }
            case .cached(let run) where run.isOpen && !run.belongs(toChainOf: workflow.firstRunID):
                access.fail(abort?.error ?? .chainNotFound)
            case .cached(let run):
                if let abort, run.runID == abort.runID || !run.isOpen { return access.fail(abort.error) }
                do throws(RequestError) {
                    try shard.admit(request, on: run, in: access.context)
                } catch {
                    return access.fail(error)
                }
                var followed = FollowedUpdate(id: request.id, stage: stage, deadline: deadline)
                if workflow.runID == nil {
                    let runID = run.runID
                    followed.askAgain = { [weak shard] error, reply in
                        shard?.update(
                            workflow,
                            request,
                            waitingFor: stage,
                            deadline: deadline,
                            insteadOf: UpdateAbort(runID: runID, error: error),
                            Caller(reply)
                        )
                    }
                }
                access.follow(followed, of: run)
            }
        }
    }

    /// Under the lock: admits an update to a run. It goes to a worker with the run's next workflow task.
    func admit(_ request: UpdateRequest, on run: CachedRun, in context: WorkflowContext) throws(RequestError) {
        let limits = configuration.limits
        let decision = try run.decide { (execution) throws(RequestError) in
            try execution.decide(request, at: clock(), limits: limits)
        }
        if !decision.entries.isEmpty { carryOut(decision, on: run, in: context) }
    }

    func pollUpdate(
        _ workflow: WorkflowReference,
        id: String,
        waitingFor stage: UpdateWorkflowExecutionLifecycleStage,
        deadline: Instant,
        _ caller: consuming Caller<UpdateStatus>
    ) {
        resolve(workflow, caller) { (access: consuming RunAccess<UpdateStatus>, resolved) in
            let shard = access.shard
            switch resolved {
            case .missing: access.fail(workflow.missing)
            case .closed(let row):
                access.answerFromStore { shard.readStatus(ofUpdate: id, row, else: .updateNotFound(id), $0) }
            case .cached(let run):
                guard run.execution.progress(ofUpdate: id) != nil else { return access.fail(.updateNotFound(id)) }
                access.follow(FollowedUpdate(id: id, stage: stage, deadline: deadline), of: run)
            }
        }
    }

    /// Under the lock: answers once an update that the run knows has come far enough.
    func follow(_ update: FollowedUpdate, of run: CachedRun, _ reply: Reply<UpdateStatus>) {
        guard let progress = run.execution.progress(ofUpdate: update.id) else {
            return answer(.failure(.updateNotFound(update.id)), reply, seen: run)
        }
        switch progress {
        case .completed, .abandoned:
            let (runID, key) = (run.runID, run.key)
            releaseInOrder(
                run: run,
                { [self] in answer(update.id, progress, runID, of: key, else: .updateNotFound(update.id), reply) },
                refuse: { reply.fail($0.error) }
            )
        case .admitted, .accepted:
            let isAccepted = progress == .accepted
            let isReached = update.stage == .accepted ? isAccepted : update.stage != .completed
            let waiter = UpdateWaiter(
                id: state.random.next(),
                of: run,
                update,
                isAccepted: isAccepted,
                reply: reply
            )
            if isReached { return answer(.success(waiter.statusSoFar), reply, seen: run) }
            state.updates.wait(waiter)
        }
    }

    private func answer(
        _ outcome: Result<UpdateStatus, RequestError>,
        _ reply: Reply<UpdateStatus>,
        seen run: CachedRun
    ) {
        releaseInOrder(run: run, { reply.answer(outcome) }, refuse: { reply.fail($0.error) })
    }

    /// Answers from the journal of a closed run.
    private func readStatus(
        ofUpdate id: String,
        _ row: RunRow,
        else error: RequestError,
        _ reply: Reply<UpdateStatus>
    ) {
        read(row, failed: { reply.fail($0) }) { [self] run in
            answer(id, run.execution.progress(ofUpdate: id), row.runID, of: row.key, else: error, reply)
        }
    }

    /// Answers about an update that has ended. Its outcome stays in the history only.
    func answer(
        _ id: String,
        _ progress: UpdateProgress?,
        _ runID: RunID,
        of key: WorkflowKey,
        else error: RequestError,
        _ reply: Reply<UpdateStatus>
    ) {
        switch progress {
        case .completed(let eventID):
            let token = HistoryPageToken(runID: runID, nextEventID: eventID, lastEventID: eventID, suffix: [])
            readPage(token, of: key, pageSize: 1, failed: { reply.fail($0) }) { page in
                guard let outcome = Self.outcome(in: page) else {
                    return reply.fail(RequestError(.internalError, "the outcome of update \(id) cannot be read"))
                }
                reply.succeed(UpdateStatus(runID: runID, stage: .completed, outcome: outcome))
            }
        case .abandoned:
            reply.succeed(UpdateStatus(runID: runID, stage: .completed, outcome: abandonedUpdateOutcome))
        case .admitted, .accepted, nil: reply.fail(error)
        }
    }

    private static func outcome(in page: HistoryPage) -> Outcome? {
        guard let event = try? HistoryFrames.decode(page.frames).first?.event,
            case .workflowExecutionUpdateCompletedEventAttributes(let attributes) = event.attributes
        else { return nil }
        return attributes.outcome
    }

    // MARK: Callers

    /// Under the lock: an item is committed, and the callers of updates hear what it means for them.
    func tellUpdates(of item: LaneItem) {
        if let ending = item.ending { tellUpdates(of: ending) }
        guard !item.updates.isEmpty, let run = item.run else { return }
        state.carryOut(state.updates.heard(item.updates, of: run.runID))
    }

    /// Under the lock.
    func expireUpdates(_ now: Instant) {
        for action in state.updates.timedOut(now) {
            // How far an update has come may not be committed yet.
            guard case .answer(let waiter, let status) = action, let run = state.runs[waiter.key]?.cached,
                run.runID == waiter.runID
            else {
                state.carryOut([action])
                continue
            }
            releaseInOrder(run: run, { waiter.finish(.success(status)) }, refuse: { waiter.finish(.failure($0.error)) })
        }
    }
}

/// The run that closed before it accepted an update, and what its caller hears if no other run follows.
struct UpdateAbort: Sendable {
    let runID: RunID
    let error: RequestError
}
