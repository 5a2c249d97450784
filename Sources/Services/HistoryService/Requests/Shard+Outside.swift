internal import SagamoreAPI
internal import SagamoreEngine
internal import SagamorePersistence
internal import SagamoreServices

/// Signals, cancel requests, terminations: over gRPC, and as commands with their trace in the inbox.
extension Shard {
    func signal(_ workflow: WorkflowReference, _ request: SignalRequest, reply: Reply<RunID>) {
        let limits = configuration.limits
        outside(workflow, reply, { $0 }, onceClosed: .acceptedAgain(request.requestID)) {
            (run, now) throws(RequestError) in
            try run.execution.decide(request, at: now, limits: limits)
        }
    }

    func cancel(_ workflow: WorkflowReference, _ request: CancelRequest, reply: Reply<Void>) {
        outside(workflow, reply, { _ in }, onceClosed: .accepted) { (run, now) throws(RequestError) in
            try run.execution.decide(request, at: now)
        }
    }

    func terminate(_ workflow: WorkflowReference, _ request: TerminateRequest, reply: Reply<Void>) {
        outside(workflow, reply, { _ in }) { (run, now) throws(RequestError) in
            try run.execution.decide(request, at: now)
        }
    }

    /// What becomes of a request to a closed run that is out of memory.
    private enum OnceClosed {
        case refused
        /// It is answered like one that took effect.
        case accepted
        /// The same where it took effect before, by its id: the journal tells. Else it is refused.
        case acceptedAgain(_ requestID: String)
    }

    /// - Parameter answer: what a request to this run is answered with.
    private func outside<Success>(
        _ workflow: WorkflowReference,
        _ reply: Reply<Success>,
        _ answer: @escaping @Sendable (RunID) -> Success,
        onceClosed: OnceClosed = .refused,
        _ body: @escaping @Sendable (CachedRun, Instant) throws(RequestError) -> Decision
    ) {
        guard !isFull else {
            return reply.fail(RequestError(.resourceExhausted, "too many transitions wait to be committed; try again"))
        }
        resolve(workflow, refuse: { reply.fail($0) }) { shard, slot, resolved in
            do throws(RequestError) {
                switch resolved {
                case .missing: throw workflow.missing
                case .closed(let row):
                    switch onceClosed {
                    case .accepted: shard.afterwards.append { reply.succeed(answer(row.runID)) }
                    case .acceptedAgain(let requestID) where !requestID.isEmpty:
                        shard.hasSeen(requestID, in: row, failed: { reply.fail($0) }) { hasSeen in
                            guard hasSeen else { return reply.fail(.workflowClosed) }
                            reply.succeed(answer(row.runID))
                        }
                    case .refused, .acceptedAgain: throw .workflowClosed
                    }
                case .cached(let run):
                    let decision = try body(run, shard.clock())
                    let runID = run.runID
                    let release: @Sendable () -> Void = { reply.succeed(answer(runID)) }
                    shard.carryOut(decision, on: run, in: slot, release: release, refuse: { reply.fail($0.error) })
                    shard.requeueLostQueries(of: run, in: slot)
                }
            } catch {
                // Also a refusal may show something that is not committed: that a run is closed.
                let error = error
                let run: CachedRun? = if case .cached(let run) = resolved { run } else { nil }
                shard.releaseInOrder(run: run, slot: slot, { reply.fail(error) }, refuse: { reply.fail($0.error) })
            }
        }
    }

    // MARK: Commands of a topic

    func submit(_ command: IncomingCommand, reply: Reply<CommandOutcome>) {
        access(command.key, commandID: command.origin.commandID, refuse: { reply.fail($0) }) { shard, slot, isKnown in
            if isKnown {
                shard.answerDuplicate(LookUp(key: command.key, commandID: command.origin.commandID), in: slot, reply)
                return
            }
            do throws(RequestError) {
                try shard.carryOut(command, in: slot, reply)
            } catch {
                shard.reject(command, Shard.reasonCode(error), error.message, in: slot, reply)
            }
        }
    }

    /// Under the lock.
    private func carryOut(
        _ command: IncomingCommand,
        in slot: WorkflowSlot,
        _ reply: Reply<CommandOutcome>
    ) throws(RequestError) {
        let now = clock()
        let refuse: @Sendable (LaneFailure) -> Void = { failure in
            if failure.reason == .knownCommand { reply.succeed(.duplicate) } else { reply.fail(failure.error) }
        }
        switch command.action {
        case .refuse(let code, let message):
            reject(command, code, message, in: slot, reply)
        case .start(let request):
            switch verdict(on: request, in: slot) {
            case .refuse(let error): throw error
            case .existing(let started):
                let message = "the workflow runs already, RunId: \(started.runID); its events belong to its own start"
                throw RequestError(.alreadyExists, message)
            case let verdict:
                begin(
                    request,
                    verdict,
                    in: slot,
                    inbox: inboxRow(command, now),
                    done: { reply.answer($0.map { _ in .carriedOut }) },
                    refuse: refuse
                )
            }
        case .signal(let request, let runID):
            let run = try openRun(command, runID, in: slot)
            let decision = try run.execution.decide(request, at: now, limits: configuration.limits)
            carryOut(decision, command, run, in: slot, reply, refuse)
        case .cancel(let request, let runID):
            let run = try openRun(command, runID, in: slot)
            carryOut(try run.execution.decide(request, at: now), command, run, in: slot, reply, refuse)
        case .terminate(let request, let runID):
            let run = try openRun(command, runID, in: slot)
            carryOut(try run.execution.decide(request, at: now), command, run, in: slot, reply, refuse)
        }
    }

    private func carryOut(
        _ decision: Decision,
        _ command: IncomingCommand,
        _ run: CachedRun,
        in slot: WorkflowSlot,
        _ reply: Reply<CommandOutcome>,
        _ refuse: @escaping @Sendable (LaneFailure) -> Void
    ) {
        carryOut(
            decision,
            on: run,
            in: slot,
            inbox: inboxRow(command, clock()),
            release: { reply.succeed(.carriedOut) },
            refuse: refuse
        )
        requeueLostQueries(of: run, in: slot)
    }

    private func openRun(
        _ command: IncomingCommand,
        _ runID: RunID?,
        in slot: WorkflowSlot
    ) throws(RequestError) -> CachedRun {
        guard let row = slot.row else { throw .workflowNotFound(command.key.workflowID) }
        guard let run = slot.cached, run.execution.isRunning, runID == nil || runID == run.runID else {
            throw runID == nil || runID == row.runID ? .workflowClosed : .workflowNotFound(command.key.workflowID)
        }
        return run
    }

    /// Under the lock: the refusal of a command, as durable as any effect.
    private func reject(
        _ command: IncomingCommand,
        _ code: String,
        _ message: String,
        in slot: WorkflowSlot,
        _ reply: Reply<CommandOutcome>
    ) {
        let now = clock()
        var event = StatusEvent(
            origin: command.origin,
            status: .rejected,
            sequence: 1,
            workflowID: command.key.workflowID,
            workflowType: command.workflowType,
            runID: nil,
            at: now
        )
        event.reasonCode = code
        event.reasonMessage = message
        let inbox = inboxRow(command, now)
        enqueue(inbox, [encoder.encode(event)], .rejected, in: slot, reply)
    }

    func deadLetter(_ source: RecordCoordinates, _ letter: OutboxRecord, reply: Reply<CommandOutcome>) {
        let key = WorkflowKey(namespace: 0, workflowID: "\(source.cluster)/\(source.topic)/\(source.partition)")
        let commandID = source.timestamp.map { "\(source.offset)@\($0)" } ?? String(source.offset)
        access(key, commandID: commandID, refuse: { reply.fail($0) }) { shard, slot, isKnown in
            if isKnown {
                shard.answerDuplicate(LookUp(key: key, commandID: commandID), in: slot, reply)
                return
            }
            let row = InboxRow(receivedAt: shard.clock(), key: key, commandID: commandID, source: source)
            shard.enqueue(row, [letter], .rejected, in: slot, reply)
        }
    }

    /// Under the lock: a command that came before is answered when that is sure to be durable.
    private func answerDuplicate(_ command: LookUp, in slot: WorkflowSlot, _ reply: Reply<CommandOutcome>) {
        let wasDecidedHere = recentCommands.contains(command)
        releaseInOrder(
            slot: slot,
            { [self] in
                // The first one could not be stored, or is long forgotten here: the next look-up tells.
                if wasDecidedHere, !perform({ recentCommands.contains(command) }) {
                    return reply.fail(LaneFailure.lost.error)
                }
                reply.succeed(.duplicate)
            },
            refuse: { reply.fail($0.error) }
        )
    }

    /// Under the lock: a command that changes no run.
    private func enqueue(
        _ inbox: InboxRow,
        _ records: [OutboxRecord],
        _ outcome: CommandOutcome,
        in slot: WorkflowSlot,
        _ reply: Reply<CommandOutcome>
    ) {
        recentCommands.insert(LookUp(key: inbox.key, commandID: inbox.commandID))
        let item = LaneItem(slot: slot, run: nil)
        item.basis = slot.cached
        item.inbox = inbox
        item.outbox = records
        item.release = { reply.succeed(outcome) }
        item.refuse = { failure in
            if failure.reason == .knownCommand { reply.succeed(.duplicate) } else { reply.fail(failure.error) }
        }
        enqueue(item)
    }

    private func inboxRow(_ command: IncomingCommand, _ now: Instant) -> InboxRow {
        InboxRow(receivedAt: now, key: command.key, commandID: command.origin.commandID, source: command.source)
    }

    /// The codes of `rejected` events.
    private static func reasonCode(_ error: RequestError) -> String {
        switch error.code {
        case .alreadyExists: "ALREADY_STARTED"
        case .notFound: "NOT_FOUND"
        case .invalidArgument: "INVALID_ARGUMENT"
        case .permissionDenied: "PERMISSION_DENIED"
        case .resourceExhausted: "RESOURCE_EXHAUSTED"
        case .failedPrecondition: "FAILED_PRECONDITION"
        case .unimplemented: "UNIMPLEMENTED"
        default: "INTERNAL"
        }
    }
}
