internal import SagamoreAPI
internal import SagamoreEngine
internal import SagamorePersistence
internal import SagamoreProtobuf
internal import SagamoreServices

/// A run that a start has made the current one.
struct BegunRun {
    let run: CachedRun
    /// Its first row, and the end of the run that it replaces.
    let item: LaneItem
    let started: StartedRun
    /// Its first workflow task, if the start asked for it.
    let eagerTask: WorkflowTaskStamp?
}

extension Shard {
    /// Whether a start may begin a run, by the request's policies.
    enum StartVerdict {
        case begin
        /// Terminate the open run first.
        case replace(CachedRun)
        /// Answer with a run that exists. It counts as new if this very request started it.
        case existing(StartedRun)
        /// Answer with the open run, and attach the request to it.
        case attach(CachedRun)
        case refuse(RequestError)
    }

    func start(_ request: StartRequest, namespace: Int32, _ caller: consuming Caller<StartedRun>) {
        let key = WorkflowKey(namespace: namespace, workflowID: request.request.workflowID)
        guard !isFull else {
            return caller.refuse(
                RequestError(.resourceExhausted, "too many transitions wait to be committed; try again")
            )
        }
        access(key, mayAssumeNew: true, caller) { (access: consuming RunAccess<StartedRun>) in
            let shard = access.shard
            guard request.lineage.parent == nil || shard.knowsChildren(of: access.context) else {
                return access.fail(.unavailable("the shard's runs are being loaded; try again"))
            }
            if let signal = request.signal, let run = access.run, run.isOpen, !request.terminatesExisting {
                return shard.signal(run, signal, access)
            }
            let verdict = shard.verdict(on: request, in: access.context)
            switch verdict {
            case .refuse(let error): access.fail(error)
            case .existing(let started):
                guard started.isNew, access.run == nil, let row = access.context.row else {
                    return access.succeed(started)
                }
                // The request began the chain that ended with this run.
                access.read(row) { .success(StartedRun(runID: $0.firstRunID, isNew: true, status: row.status)) }
            case .attach(let run): shard.attach(request, to: run, access)
            case .begin, .replace:
                shard.begin(
                    request,
                    verdict,
                    access,
                    inbox: nil,
                    answering: { $0 },
                    onFailure: { failure, reply in
                        guard failure.reason == .knownWorkflow else { return reply.fail(failure.error) }
                        shard.perform { shard.state.newWorkflows.wasWrong() }
                        shard.start(request, namespace: namespace, Caller(reply))
                    }
                )
            }
        }
    }

    /// Under the lock.
    func verdict(on start: StartRequest, in context: WorkflowContext) -> StartVerdict {
        if let started = child(startedBy: start, in: context) { return .existing(started) }
        guard let row = context.row else { return .begin }
        let request = start.request
        if !request.requestID.isEmpty, row.startRequestID.hasSameBytes(as: request.requestID) {
            // The request may have begun a chain that this run continues.
            let runID = context.cached?.firstRunID ?? row.runID
            return .existing(StartedRun(runID: runID, isNew: true, status: row.status))
        }
        if let run = context.cached, run.execution.durable.attachedRequestIDs[ExactText(request.requestID)] != nil {
            return .existing(run.started(status: row.status, isAttached: true))
        }
        guard row.status == .running else { return verdict(onClosed: row, request) }
        if start.terminatesExisting {
            return context.cached.map { .replace($0) } ?? .begin
        }
        if request.workflowIDConflictPolicy == .useExisting {
            if let run = context.cached, request.onConflictOptions != nil { return .attach(run) }
            let firstRunID = context.cached?.firstRunID
            return .existing(
                StartedRun(runID: row.runID, firstRunID: firstRunID, isNew: false, status: row.status)
            )
        }
        let message =
            "Workflow execution is already running. WorkflowId: \(row.key.workflowID), RunId: \(row.runID)."
        return .refuse(alreadyStarted(row, message))
    }

    private func verdict(onClosed row: RunRow, _ request: StartWorkflowExecutionRequest) -> StartVerdict {
        let (end, policy): (String, String)
        switch request.workflowIDReusePolicy {
        case .rejectDuplicate: (end, policy) = ("finished", "reject duplicate workflow Id")
        case .allowDuplicateFailedOnly where row.status == .completed:
            (end, policy) = ("finished successfully", "allow duplicate workflow Id if last run failed")
        default: return .begin
        }
        let message =
            "Workflow execution already \(end). WorkflowId: \(row.key.workflowID), RunId: \(row.runID). "
            + "Workflow Id reuse policy: \(policy)."
        return .refuse(alreadyStarted(row, message))
    }

    private func alreadyStarted(_ row: RunRow, _ message: String) -> RequestError {
        RequestError(
            .alreadyExists,
            message,
            detail: .workflowAlreadyStarted(runID: row.runID, startRequestID: row.startRequestID)
        )
    }

    /// Under the lock: begins a run, and ends the run that it replaces in the same item. If the workflow was not looked
    /// up, the run is assumed to be its first.
    func begin<Success>(
        _ request: StartRequest,
        _ verdict: StartVerdict,
        _ access: consuming RunAccess<Success>,
        inbox: InboxRow?,
        answering answer: @escaping @Sendable (StartedRun) -> Success,
        onFailure: @escaping @Sendable (LaneFailure, Reply<Success>) -> Void
    ) {
        let context = access.context
        let begun = makeRun(request, verdict, in: context, inbox: inbox)
        if let task = begun.eagerTask, let deliver = startEagerly(task, of: begun.run, request.request, at: clock()) {
            let started = begun.started
            access.commit(begun.item, onFailure: onFailure) { reply in
                deliver { outcome in
                    var started = started
                    started.eagerTask = try? outcome.get()
                    reply.succeed(answer(started))
                }
            }
        } else {
            access.commit(begun.item, answering: answer(begun.started), onFailure: onFailure)
        }
        tellReplaced(by: begun, in: context)
    }

    /// Under the lock: makes a run the current one of its workflow. Its item is to be queued at once.
    func makeRun(
        _ request: StartRequest,
        _ verdict: StartVerdict,
        in context: WorkflowContext,
        inbox: InboxRow? = nil
    ) -> BegunRun {
        let now = clock()
        let runID = state.random.runID(at: now, after: context.newestRunID)
        var ending: LaneItem?
        if case .replace(let old) = verdict {
            let terminate = TerminateRequest(
                reason: "TerminateIfRunning WorkflowIdReusePolicy",
                details: RawMessage(jsonText: "terminated by new runID: \(runID)"),
                identity: serverIdentity
            )
            if let decision = try? old.execution.decide(terminate, at: now) {
                ending = apply(decision, on: old, in: context)
            }
        }
        let execution = SagamoreEngine.Execution(key: context.key, runID: runID)
        var decision = execution.decide(request, isEager: request.request.requestEagerExecution, at: now)
        let task = request.request.requestEagerExecution ? decision.takeWorkflowTask() : nil
        let run = CachedRun(
            execution,
            sequence: 0,
            startRequestID: request.request.requestID,
            isStored: false,
            at: now
        )
        let previous = context.cached
        let assumesNew = context.isUntouched
        context.state.start(run)
        state.newWorkflows.began(context.key)
        let item = apply(decision, on: run, in: context, inbox: inbox, assumesNew: assumesNew)
        item.ending = ending
        item.basis = previous
        let started = StartedRun(runID: runID, isNew: true, status: .running)
        return BegunRun(run: run, item: item, started: started, eagerTask: task)
    }

    /// Under the lock: those who wait for the run that was replaced look again. Called when the item is queued.
    func tellReplaced(by begun: BegunRun, in context: WorkflowContext) {
        guard let replaced = begun.item.ending?.run else { return }
        answerWaiters(of: replaced, in: context)
        requeueLostQueries(of: replaced, in: context)
    }

    /// Under the lock: the start uses the run that is open.
    private func attach(_ start: StartRequest, to run: CachedRun, _ access: consuming RunAccess<StartedRun>) {
        let now = clock()
        let decision = run.execution.decide(attaching: start, at: now)
        let isAttached = start.request.onConflictOptions?.attachRequestID ?? false
        access.carryOut(decision, on: run, answering: run.started(status: .running, isAttached: isAttached))
    }

    /// Under the lock: the workflow runs already, and a start with a signal is that signal alone.
    private func signal(_ run: CachedRun, _ signal: SignalRequest, _ access: consuming RunAccess<StartedRun>) {
        let (context, limits, now) = (access.context, configuration.limits, clock())
        let decision: Decision
        do throws(RequestError) {
            decision = try run.decide { (execution) throws(RequestError) in
                try execution.decide(signal, at: now, limits: limits)
            }
        } catch {
            return access.fail(error)
        }
        let signaled = StartedRun(runID: run.runID, firstRunID: run.firstRunID, isNew: false, status: .running)
        access.carryOut(decision, on: run, answering: signaled)
        requeueLostQueries(of: run, in: context)
    }

    /// Under the lock: starts the first workflow task of a run for the client that has started the run, which is a
    /// worker, too. If the answer does not arrive, the task times out, as a polled one does.
    private func startEagerly(
        _ stamp: WorkflowTaskStamp,
        of run: CachedRun,
        _ request: StartWorkflowExecutionRequest,
        at now: Instant
    ) -> Delivery? {
        let start = WorkflowTaskStartRequest(
            stamp: stamp,
            isSticky: false,
            isEager: true,
            identity: request.identity,
            requestID: request.requestID,
            nonce: state.random.next(),
            epoch: state.ownership.epoch
        )
        let limits = configuration.limits
        let decision = try? run.decide { (execution) throws(RequestError) in
            try execution.decide(start, at: now, limits: limits)
        }
        guard let decision, case .workflowTask(let delivery) = decision.reply else { return nil }
        // It has no rows: that a task is started is not stored.
        _ = apply(decision, on: run, in: state.runs.context(run.key))
        return delivering(delivery, of: run)
    }

    /// Under the lock: followers of a run that is no longer the current one look again once its end is committed.
    func answerWaiters(of run: CachedRun, in context: WorkflowContext) {
        let waiters = state.runs.takeWaiters(of: run.runID, in: context)
        guard !waiters.isEmpty else { return }
        releaseInOrder(
            { for waiter in waiters { waiter.notify(nil) } },
            refuse: { _ in for waiter in waiters { waiter.expire() } }
        )
    }
}

extension Decision {
    /// Withdraws the offer of the workflow task that the decision has made due.
    fileprivate mutating func takeWorkflowTask() -> WorkflowTaskStamp? {
        guard case .workflow(_, _, let stamp)? = offers.first else { return nil }
        offers = []
        return stamp
    }
}

extension CachedRun {
    /// The answer to a start that uses this run.
    fileprivate func started(status: WorkflowExecutionStatus, isAttached: Bool) -> StartedRun {
        var started = StartedRun(runID: runID, firstRunID: firstRunID, isNew: false, status: status)
        started.isAttached = isAttached
        return started
    }
}
