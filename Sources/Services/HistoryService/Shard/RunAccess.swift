internal import SagamoreAPI
internal import SagamoreEngine
internal import SagamorePersistence
internal import SagamoreServices

/// The caller of a request that has seen nothing yet. `Shard.access` and `Shard.resolve` consume it, so the handler
/// that they call can answer only through its `RunAccess`.
struct Caller<Success: Sendable>: ~Copyable {
    fileprivate let reply: Reply<Success>

    init(_ reply: Reply<Success>) {
        self.reply = reply
    }

    /// Refuses the request before it has seen anything.
    consuming func refuse(_ error: RequestError) { reply.fail(error) }

    /// For a request that is answered only from the database, where everything is committed.
    consuming func answeredFromStore() -> Reply<Success> { reply }
}

/// A workflow as one request sees it under its shard's lock, and the only way to answer the request.
///
/// The state in memory may not be committed yet, and can still be lost. So an answer is released after all queued items
/// of the run. It is released at once if there are none, or if the request saw only what was read from the database.
/// Each method that answers consumes the access. A dropped access answers UNAVAILABLE.
struct RunAccess<Success: Sendable>: ~Copyable {
    let shard: Shard
    let context: WorkflowContext
    /// The run in memory that the request sees; nil if it sees only what was read from the database.
    let run: CachedRun?
    /// Whether the command that was looked up with the workflow was carried out before.
    let isKnownCommand: Bool
    fileprivate let reply: Reply<Success>

    fileprivate init(
        _ shard: Shard,
        _ context: WorkflowContext,
        _ run: CachedRun?,
        isKnownCommand: Bool = false,
        _ reply: Reply<Success>
    ) {
        self.shard = shard
        self.context = context
        self.run = run
        self.isKnownCommand = isKnownCommand
        self.reply = reply
    }

    // MARK: Answers

    consuming func succeed(_ value: Success) { answer(.success(value)) }

    /// A refusal also reveals state that may not be committed: that the run is closed, or that a timer exists.
    consuming func fail(_ error: RequestError) { answer(.failure(error)) }

    consuming func answer(_ outcome: Result<Success, RequestError>) {
        let reply = reply
        guard let run else { return shard.state.deferred.call { reply.answer(outcome) } }
        shard.releaseInOrder(run: run, context: context, { reply.answer(outcome) }, refuse: { reply.fail($0.error) })
    }

    /// Calls `body` without the lock once everything that the request has seen is committed.
    ///
    /// - Parameter onLoss: called if that is lost, before the caller gets the error.
    consuming func whenCommitted(
        onLoss: (@Sendable (RequestError) -> Void)? = nil,
        _ body: @escaping @Sendable (Reply<Success>) -> Void
    ) {
        let reply = reply
        guard let run else { return shard.state.deferred.call { body(reply) } }
        shard.releaseInOrder(
            run: run,
            context: context,
            { body(reply) },
            refuse: { failure in
                onLoss?(failure.error)
                reply.fail(failure.error)
            }
        )
    }

    /// Calls `body` without the lock at once. It answers only from the database, where everything is committed.
    consuming func answerFromStore(_ body: @escaping @Sendable (Reply<Success>) -> Void) {
        let reply = reply
        shard.state.deferred.call { body(reply) }
    }

    /// Calls `body` without the lock once all queued items of the shard are committed, whatever their run.
    consuming func whenAllIsCommitted(_ body: @escaping @Sendable (Reply<Success>) -> Void) {
        let reply = reply
        shard.releaseInOrder(context: context, { body(reply) }, refuse: { reply.fail($0.error) })
    }

    /// Answers from the journal of a closed run that has left memory.
    consuming func read(
        _ row: RunRow,
        _ answer: @escaping @Sendable (CachedRun) -> Result<Success, RequestError>
    ) {
        let reply = reply
        shard.read(row, failed: { reply.fail($0) }) { run in reply.answer(answer(run)) }
    }

    /// Answers from the database whether a closed run that has left memory took a request with this id.
    consuming func hasSeen(
        _ requestID: String,
        in row: RunRow,
        _ answer: @escaping @Sendable (Bool) -> Result<Success, RequestError>
    ) {
        let reply = reply
        shard.hasSeen(requestID, in: row, failed: { reply.fail($0) }) { reply.answer(answer($0)) }
    }

    /// Proceeds with a run that is not the current one. `proceed` runs under the lock.
    consuming func lookUp(
        _ workflow: WorkflowReference,
        proceed: @escaping @Sendable (consuming RunAccess<Success>, Shard.Resolved) -> Void
    ) {
        let (shard, reply) = (shard, reply)
        shard.state.deferred.call { shard.resolve(workflow, Caller(reply), proceed: proceed) }
    }

    // MARK: Decisions

    /// Applies a decision, and answers once it is committed.
    consuming func carryOut(_ decision: Decision, on run: CachedRun, answering value: Success) {
        commit(shard.apply(decision, on: run, in: context), answering: value)
    }

    /// Queues an item whose commit is answered with a value.
    ///
    /// - Parameter onFailure: called without the lock if the item cannot be committed. By default the caller gets the
    ///   failure's error.
    consuming func commit(
        _ item: LaneItem,
        answering value: Success,
        onFailure: (@Sendable (LaneFailure, Reply<Success>) -> Void)? = nil
    ) {
        let reply = reply
        if let refusal = item.refusal {
            item.release = { reply.fail(refusal) }
        } else {
            item.release = { reply.succeed(value) }
        }
        if let onFailure {
            item.refuse = { onFailure($0, reply) }
        } else {
            item.refuse = { reply.fail($0.error) }
        }
        shard.enqueue(item)
    }

    /// Queues an item, and calls `release` without the lock once it is committed.
    ///
    /// - Parameter onFailure: called without the lock if the item cannot be committed. By default the caller gets the
    ///   failure's error.
    consuming func commit(
        _ item: LaneItem,
        onFailure: @escaping @Sendable (LaneFailure, Reply<Success>) -> Void = { $1.fail($0.error) },
        _ release: @escaping @Sendable (Reply<Success>) -> Void
    ) {
        let reply = reply
        if let refusal = item.refusal {
            item.release = { reply.fail(refusal) }
        } else {
            item.release = { release(reply) }
        }
        item.refuse = { onFailure($0, reply) }
        shard.enqueue(item)
    }

    // MARK: Waits

    /// Waits until new events of a run are committed.
    ///
    /// - Parameters:
    ///   - afterEventID: the newest event that the caller has seen.
    ///   - notify: called without the lock. If the run has closed, `closeFrame` is its last event.
    ///   - expire: called without the lock at the deadline.
    consuming func waitForNewEvents(
        of runID: RunID,
        afterEventID: Int64,
        onlyCloseEvent: Bool,
        deadline: Instant,
        notify: @escaping @Sendable (Reply<Success>, _ closeFrame: [UInt8]?) -> Void,
        expire: @escaping @Sendable (Reply<Success>) -> Void
    ) {
        let reply = reply
        shard.state.runs.wait(
            HistoryWaiter(
                runID: runID,
                afterEventID: afterEventID,
                onlyCloseEvent: onlyCloseEvent,
                deadline: deadline,
                notify: { notify(reply, $0) },
                expire: { expire(reply) }
            ),
            in: context
        )
    }
}

extension RunAccess where Success == QueryOutcome {
    /// A query whose caller waits for a worker's answer.
    consuming func pending(_ query: WorkflowQuery, of row: RunRow, deadline: Instant) -> PendingQuery {
        PendingQuery(
            id: shard.state.random.next(),
            key: row.key,
            runID: row.runID,
            query: query,
            deadline: deadline,
            reply: reply
        )
    }
}

extension RunAccess where Success == UpdateStatus {
    /// Answers once an update that the run knows has come far enough.
    consuming func follow(_ update: FollowedUpdate, of run: CachedRun) {
        let reply = reply
        shard.follow(update, of: run, reply)
    }
}

extension RunAccess {
    /// Answers once an update that the run knows has come far enough.
    ///
    /// - Parameter again: called without the lock if the run closes before it has accepted the update; nil if that is
    ///   the answer.
    consuming func follow(
        _ update: FollowedUpdate,
        of run: CachedRun,
        again: (@Sendable (Reply<Success>) -> Void)?,
        _ answer: @escaping @Sendable (Result<UpdateStatus, RequestError>) -> Result<Success, RequestError>
    ) {
        let reply = reply
        var update = update
        if let again {
            update.askAgain = { _, followed in
                // The caller still waits, and is answered in another way.
                followed.abandon()
                again(reply)
            }
        }
        shard.follow(update, of: run, Reply { reply.answer(answer($0)) })
    }
}

/// The answer to a poll.
protocol PolledTask: Sendable {}
extension PolledWorkflowTask: PolledTask {}
extension AssignedActivityTask: PolledTask {}

extension RunAccess where Success: PolledTask {
    /// Refuses an outdated task as soon as the lock is free, without waiting for commits, so that the poll gets the
    /// next task. This loses nothing: a run that has to be reloaded offers its tasks again.
    consuming func refuseTask(_ error: RequestError) {
        let reply = reply
        shard.state.deferred.call { reply.fail(error) }
    }
}

extension Shard {
    /// Proceeds with a workflow once it is in memory: at once, or when the loader has read it. `proceed` runs under the
    /// lock.
    ///
    /// - Parameters:
    ///   - commandID: a command to look up with the workflow; empty for none.
    ///   - mayAssumeNew: if nothing is known about the workflow, `proceed` may be called anyway, and assumes that it
    ///     has no run.
    func access<Success>(
        _ key: WorkflowKey,
        commandID: String = "",
        mayAssumeNew: Bool = false,
        _ caller: consuming Caller<Success>,
        proceed: @escaping @Sendable (consuming RunAccess<Success>) -> Void
    ) {
        let reply = caller.reply
        perform {
            if let obstacle = obstacle() { return state.deferred.call { reply.fail(obstacle) } }
            let context = state.runs.context(key)
            if state.canProceed(context, commandID: commandID, mayAssumeNew: mayAssumeNew) {
                proceed(RunAccess(self, context, context.cached, reply))
                state.runs.dropIfUnused(context)
                return
            }
            wait(
                for: context,
                LoadWaiter(
                    commandID: commandID,
                    proceed: { proceed(RunAccess($0, $1, $1.cached, isKnownCommand: $2, reply)) },
                    refuse: { reply.fail($0) }
                )
            )
        }
    }

    /// The run that a reference names: the current one, or an older one that was looked up.
    enum Resolved {
        case cached(CachedRun)
        /// The row of a closed run.
        case closed(RunRow)
        case missing
    }

    /// Proceeds with the run that a reference names. `proceed` runs under the lock.
    func resolve<Success>(
        _ workflow: WorkflowReference,
        _ caller: consuming Caller<Success>,
        proceed: @escaping @Sendable (consuming RunAccess<Success>, Resolved) -> Void
    ) {
        resolve(workflow, isLookedUpAgain: false, caller, proceed)
    }

    /// - Parameter isLookedUpAgain: the first lookup found the run open, because its close was not committed yet.
    private func resolve<Success>(
        _ workflow: WorkflowReference,
        isLookedUpAgain: Bool,
        _ caller: consuming Caller<Success>,
        _ proceed: @escaping @Sendable (consuming RunAccess<Success>, Resolved) -> Void
    ) {
        access(workflow.key, caller) { (access: consuming RunAccess<Success>) in
            switch access.context.current {
            case .cached(let run) where workflow.runID == nil || workflow.runID == run.runID:
                proceed(access, run.isDeleted ? .missing : .cached(run))
            case .closed(let row) where workflow.runID == nil || workflow.runID == row.runID:
                let (shard, reply) = (access.shard, access.reply)
                guard access.context.state.deletions.contains(row.runID) else {
                    return proceed(access, .closed(row))
                }
                shard.resolveAgain(workflow, reply, proceed)
            case .deleted(let runID) where workflow.runID == nil || workflow.runID == runID:
                proceed(access, .missing)
            case .none: proceed(access, .missing)
            default:
                guard let runID = workflow.runID else { return proceed(access, .missing) }
                let (shard, reply) = (access.shard, access.reply)
                shard.loads.add(
                    .run(runID) { outcome in
                        shard.perform { shard.lookedUp(outcome, workflow, isLookedUpAgain, reply, proceed) }
                    }
                )
            }
        }
    }

    /// Under the lock: proceeds with a run that was looked up by its id.
    private func lookedUp<Success>(
        _ outcome: Result<RunRow?, RequestError>,
        _ workflow: WorkflowReference,
        _ isLookedUpAgain: Bool,
        _ reply: Reply<Success>,
        _ proceed: @escaping @Sendable (consuming RunAccess<Success>, Resolved) -> Void
    ) {
        if let obstacle = obstacle() { return state.deferred.call { reply.fail(obstacle) } }
        switch outcome {
        case .success(let row?)
        where row.key == workflow.key && !isLookedUpAgain && (row.status == .running || isBeingDeleted(row)):
            resolveAgain(workflow, reply, proceed)
        case .success(let row?) where row.key == workflow.key && row.status == .running:
            // Its end could not be committed, or is being committed only now.
            state.deferred.call { reply.fail(.notLoaded) }
        case .success(let row?) where row.key == workflow.key && !row.isDeleted:
            proceed(RunAccess(self, state.runs.context(row.key), nil, reply), .closed(row))
        case .success: proceed(RunAccess(self, state.runs.context(workflow.key), nil, reply), .missing)
        case .failure(let error): state.deferred.call { reply.fail(error) }
        }
        if let context = state.runs[workflow.key] { state.runs.dropIfUnused(context) }
    }

    /// Under the lock: whether the deletion of a closed run is queued.
    private func isBeingDeleted(_ row: RunRow) -> Bool {
        state.runs[row.key]?.state.deletions.contains(row.runID) ?? false
    }

    /// Under the lock: resolves a reference once all that is queued now is committed.
    private func resolveAgain<Success>(
        _ workflow: WorkflowReference,
        _ reply: Reply<Success>,
        _ proceed: @escaping @Sendable (consuming RunAccess<Success>, Resolved) -> Void
    ) {
        releaseInOrder(
            { [self] in resolve(workflow, isLookedUpAgain: true, Caller(reply), proceed) },
            refuse: { reply.fail($0.error) }
        )
    }
}
