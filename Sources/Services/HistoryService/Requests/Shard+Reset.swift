internal import SagamoreAPI
internal import SagamoreEngine
internal import SagamorePersistence
internal import SagamoreProtobuf
internal import SagamoreServices

/// Resets. What the new run repeats is read in the loader's turns, while the workflow goes on. What happens to its
/// current run meanwhile is collected by an `EventWatch`, so that nothing is missed and no request waits.
extension Shard {
    /// How often a reset begins anew because the workflow's current run was replaced while it read.
    private static let resetAttempts = 5

    func reset(_ workflow: WorkflowReference, _ request: ResetRequest, _ caller: consuming Caller<RunID>) {
        guard !isFull else {
            return caller.refuse(
                RequestError(.resourceExhausted, "too many transitions wait to be committed; try again")
            )
        }
        resolve(workflow, caller) { (access: consuming RunAccess<RunID>, resolved) in
            let base: ResetReading.Base
            let last: Int64
            switch resolved {
            case .missing: return access.fail(workflow.missing)
            case .cached(let run):
                base = ResetReading.Base(runID: run.runID, startRequestID: run.startRequestID, row: run.row)
                last = run.execution.durable.lastEventID
            case .closed(let row):
                base = ResetReading.Base(runID: row.runID, startRequestID: row.startRequestID, row: row)
                last = row.historyLength
            }
            guard request.eventID > 1, request.eventID <= last else { return access.fail(.resetPointOutOfRange) }
            let shard = access.shard
            access.whenCommitted { shard.beginReset(base, request, attempt: 1, Caller($0)) }
        }
    }

    private func beginReset(
        _ base: ResetReading.Base,
        _ request: ResetRequest,
        attempt: Int,
        _ caller: consuming Caller<RunID>
    ) {
        access(base.row.key, caller) { (access: consuming RunAccess<RunID>) in
            let (shard, context) = (access.shard, access.context)
            guard let current = context.row else { return access.fail(.workflowNotFound(context.key.workflowID)) }
            if let run = context.cached, run.hasBegun(by: request) { return access.succeed(run.runID) }
            let watch = context.cached.flatMap { $0.isOpen ? EventWatch($0, for: request) : nil }
            let now = shard.clock()
            let reading = ResetReading(
                request,
                base: base,
                current: (current.runID, watch?.lastEventID),
                runID: shard.state.random.runID(at: now, after: context.newestRunID),
                at: now
            )
            let isCached = context.cached != nil
            // What is read must be stored.
            access.whenAllIsCommitted { reply in
                let progress = ResetProgress(reading, watch, attempt: attempt, reply)
                if isCached { shard.read(progress) } else { shard.readUnlessBegun(current, progress) }
            }
        }
    }

    /// The current run has left memory: the database tells whether this very request began it.
    private func readUnlessBegun(_ current: RunRow, _ progress: ResetProgress) {
        let request = progress.reading.request
        if current.startRequestID.hasSameBytes(as: request.requestID) { return progress.reply.succeed(current.runID) }
        loads.add(
            .read(
                { [self] (store) throws(CommitError) in
                    guard try store.journalContains(Array(request.requestID.utf8), of: current.runID) else {
                        return read(progress)
                    }
                    read(current, failed: { progress.reply.fail($0) }) { [self] run in
                        if run.hasBegun(by: request) { progress.reply.succeed(run.runID) } else { read(progress) }
                    }
                },
                failed: { progress.reply.fail($0) }
            )
        )
    }

    /// Reads the next page.
    private func read(_ progress: ResetProgress) {
        loads.add(
            .read(
                { [self] (store) throws(CommitError) in
                    let question = progress.reading.question
                    let rows = try store.readHistory(
                        question.runID,
                        of: progress.reading.base.row.key,
                        from: question.from,
                        byteLimit: configuration.bounds.pageBytes
                    )
                    do {
                        try progress.reading.take(rows, configuration.limits)
                    } catch let error as RequestError {
                        return progress.reply.fail(error)
                    } catch {
                        return progress.reply.fail(.unreadableHistory(of: question.runID))
                    }
                    if progress.reading.isFinished { finishReset(progress) } else { read(progress) }
                },
                failed: { progress.reply.fail($0) }
            )
        )
    }

    private func finishReset(_ progress: ResetProgress) {
        let reading = progress.reading
        access(reading.base.row.key, Caller(progress.reply)) { (access: consuming RunAccess<RunID>) in
            let (shard, context) = (access.shard, access.context)
            guard shard.isCurrent(progress, in: context) else {
                guard progress.attempt < Self.resetAttempts else {
                    return access.fail(.unavailable("the workflow has new runs all the time; try again"))
                }
                let (base, request, attempt) = (reading.base, reading.request, progress.attempt + 1)
                return access.answerFromStore { shard.beginReset(base, request, attempt: attempt, Caller($0)) }
            }
            shard.begin(reading, progress.watch, access)
        }
    }

    /// Under the lock: whether all that happened to the current run is known.
    private func isCurrent(_ progress: ResetProgress, in context: WorkflowContext) -> Bool {
        guard context.row?.runID == progress.reading.current.runID else { return false }
        // A run that was closed stays as it is.
        guard let watch = progress.watch else { return true }
        return context.cached.map { $0.execution.durable.lastEventID == watch.seenEventID } ?? false
    }

    /// Under the lock: begins the new run, and ends the current one in the same item.
    private func begin(_ reading: ResetReading, _ watch: EventWatch?, _ access: consuming RunAccess<RunID>) {
        let (now, context, request, run) = (clock(), access.context, reading.request, reading.run)
        var reapplied = reading.reapplied
        if let watch, reading.endsChain(watch.runID) { reapplied += watch.events }
        var origin: CommandOrigin?
        var published = 0
        var schedule: Lineage.Schedule?
        var ending: LaneItem?
        let previous = context.cached
        if let previous, previous.isOpen {
            // Runs of one chain, and the runs of its resets, were started by one command, or by one schedule.
            let handsOver = previous.execution.durable.firstRunID == run.execution.durable.firstRunID
            let decision = previous.execution.decideEnd(for: request, handsOver: handsOver, at: now)
            if handsOver {
                origin = previous.execution.durable.origin
                published = previous.execution.durable.publishedStatusEvents
                schedule = previous.execution.durable.schedule
            }
            if reading.endsChain(previous.runID) {
                for case .event(let recorded) in decision.entries {
                    if let event = request.reapplied(recorded.event) { reapplied.append(event) }
                }
            }
            ending = apply(decision, on: previous, in: context)
        }
        let inheritance = ResetInheritance(
            baseRunID: reading.base.runID,
            startRequestID: reading.base.startRequestID,
            origin: origin,
            publishedStatusEvents: published,
            schedule: schedule,
            reapplied: reapplied
        )
        let decision = run.execution.decide(request, at: reading.point, inheritance, now: now)
        run.tail = nil
        context.state.start(run)
        state.newWorkflows.began(context.key)
        let item = apply(decision, on: run, in: context)
        store(reading, in: item, of: run)
        item.ending = ending
        item.basis = previous
        let baseID = reading.base.runID
        access.commit(item, answering: run.runID) { failure, reply in
            guard failure.reason == .baseDeleted else { return reply.fail(failure.error) }
            reply.fail(.runNotFound(run.key.workflowID, baseID))
        }
        if let replaced = ending?.run {
            answerWaiters(of: replaced, in: context)
            requeueLostQueries(of: replaced, in: context)
        }
    }

    /// Adds the rows of a run that begins with the history of another one.
    private func store(_ reading: ResetReading, in item: LaneItem, of run: CachedRun) {
        item.newRun = listed(run)
        item.alarm = .insert(.active)
        item.reset = RunReset(
            runID: run.runID,
            baseRunID: reading.base.runID,
            throughSequence: reading.lastWholeSequence,
            rowCount: reading.wholeRows
        )
        if let remainder = reading.remainder, let row = item.journal {
            item.journal?.events = remainder.frames + row.events
            item.journal?.firstEventID = remainder.firstEventID
        }
    }
}

/// A reset on its way. Used by one at a time: the loader, then the shard under its lock.
private final class ResetProgress: @unchecked Sendable {
    var reading: ResetReading
    /// The watch of the current run, if that is open.
    let watch: EventWatch?
    let attempt: Int
    let reply: Reply<RunID>

    init(_ reading: ResetReading, _ watch: EventWatch?, attempt: Int, _ reply: Reply<RunID>) {
        self.reading = reading
        self.watch = watch
        self.attempt = attempt
        self.reply = reply
    }
}

extension CachedRun {
    /// Whether this request began the run: as a reset, or as the start of the run whose history it repeats.
    fileprivate func hasBegun(by request: ResetRequest) -> Bool {
        execution.durable.resetRequestID.hasSameBytes(as: request.requestID)
            || startRequestID.hasSameBytes(as: request.requestID)
    }
}
