internal import SagamoreAPI
internal import SagamoreEngine
internal import SagamorePersistence
internal import SagamoreServices

/// A start and an update that take effect together, or not at all.
struct UpdateWithStart: Sendable {
    let start: StartRequest
    let update: UpdateRequest
    let namespace: Int32
    /// The update as its caller follows it.
    let followed: FollowedUpdate

    var key: WorkflowKey { WorkflowKey(namespace: namespace, workflowID: start.request.workflowID) }
}

extension Shard {
    /// - Parameter strangerID: a closed run that is known not to have completed the update.
    func startAndUpdate(
        _ request: UpdateWithStart,
        strangerID: RunID? = nil,
        _ caller: consuming Caller<StartedUpdate>
    ) {
        guard !isFull else { return caller.refuse(.tooManyTransitions) }
        access(request.key, caller) { (access: consuming RunAccess<StartedUpdate>) in
            let shard = access.shard
            if let run = access.run, case .completed? = run.execution.progress(ofUpdate: request.update.id) {
                return access.follow(request, of: run, StartedRun(using: run), isRepeated: true)
            }
            if let run = access.run, run.isOpen { return shard.update(run, request, access) }
            if access.run == nil, let row = access.context.row, row.runID != strangerID {
                return access.answerFromStore { reply in shard.startAndUpdate(request, after: row, reply) }
            }
            shard.begin(request, access)
        }
    }

    /// The newest run is closed and out of memory. If it completed the update, its outcome is the answer.
    private func startAndUpdate(_ request: UpdateWithStart, after row: RunRow, _ reply: Reply<StartedUpdate>) {
        let (id, key) = (request.update.id, row.key)
        let failed: @Sendable (RequestError) -> Void = { reply.fail($0) }
        hasUpdate(id, in: row, failed: failed) { [self] progress in
            guard case .completed? = progress else {
                return startAndUpdate(request, strangerID: row.runID, Caller(reply))
            }
            let run = StartedRun(runID: row.runID, isNew: false, status: row.status)
            answer(
                id,
                progress,
                row.runID,
                of: key,
                else: .updateNotFound(id),
                Reply { reply.answer($0.map { StartedUpdate(run: run, update: $0, isRepeated: true) }) }
            )
        }
    }

    /// Under the lock: the workflow has an open run.
    private func update(_ run: CachedRun, _ request: UpdateWithStart, _ access: consuming RunAccess<StartedUpdate>) {
        if run.execution.progress(ofUpdate: request.update.id) == nil {
            switch verdict(on: request.start, in: access.context) {
            case .refuse(let error): return access.fail(.refused(start: error))
            case .begin, .replace: return begin(request, access)
            case .existing, .attach: break
            }
        }
        do throws(RequestError) {
            try admit(request.update, on: run, in: access.context)
        } catch {
            return access.fail(.refused(update: error, isStarted: false))
        }
        access.follow(request, of: run, StartedRun(using: run))
    }

    /// Under the lock: the workflow has no open run, or one that is replaced.
    private func begin(_ request: UpdateWithStart, _ access: consuming RunAccess<StartedUpdate>) {
        let context = access.context
        let verdict = verdict(on: request.start, in: context)
        switch verdict {
        case .refuse(let error): return access.fail(.refused(start: error))
        case .existing, .attach:
            // The start was carried out before, and its run has closed.
            let error = RequestError(.unavailable, "Workflow was not started: StartDeduped")
            return access.fail(.refused(start: error))
        case .begin, .replace: break
        }
        let limit = configuration.limits.updatesInFlight
        guard limit > 0, configuration.limits.updates > 0 else {
            return access.fail(.refused(update: .tooManyUpdatesInFlight(limit), isStarted: false))
        }
        let begun = makeRun(request.start, verdict, in: context)
        do throws(RequestError) {
            try admit(request.update, on: begun.run, in: context)
        } catch {
            preconditionFailure("a run that has begun refuses its first update: \(error)")
        }
        // The caller hears of the update only, which is answered behind the start, or fails with it.
        enqueue(begun.item)
        access.follow(request, of: begun.run, begun.started)
        tellReplaced(by: begun, in: context)
    }
}

extension RunAccess where Success == StartedUpdate {
    /// Answers once the update has come far enough.
    fileprivate consuming func follow(
        _ request: UpdateWithStart,
        of run: CachedRun,
        _ started: StartedRun,
        isRepeated: Bool = false
    ) {
        // A run that was open may close before it accepts the update. Then another one is started.
        var again: (@Sendable (Reply<StartedUpdate>) -> Void)?
        if !started.isNew {
            again = { [weak shard] reply in shard?.startAndUpdate(request, Caller(reply)) }
        }
        follow(request.followed, of: run, again: again) { outcome in
            switch outcome {
            case .success(let status):
                .success(StartedUpdate(run: started, update: status, isRepeated: isRepeated))
            case .failure(let error) where error.code == .unavailable: .failure(error)
            case .failure(let error):
                .failure(.refused(update: error, isStarted: started.isNew))
            }
        }
    }
}

extension StartedRun {
    /// The answer to a start that uses a run in memory.
    fileprivate init(using run: CachedRun) {
        self.init(runID: run.runID, firstRunID: run.firstRunID, isNew: false, status: run.row.status)
    }
}
