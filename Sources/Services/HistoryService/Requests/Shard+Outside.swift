internal import SagamoreAPI
internal import SagamoreEngine
internal import SagamorePersistence
internal import SagamoreServices

/// Signals, cancel requests and terminations, over gRPC or as commands that are recorded in the inbox.
extension Shard {
    func signal(_ workflow: WorkflowReference, _ request: SignalRequest, _ caller: consuming Caller<RunID>) {
        let limits = configuration.limits
        outside(workflow, caller, { $0 }, onceClosed: .acceptedAgain(request.requestID)) {
            (run, now) throws(RequestError) in
            try run.execution.decide(request, at: now, limits: limits)
        }
    }

    func cancel(_ workflow: WorkflowReference, _ request: CancelRequest, _ caller: consuming Caller<Void>) {
        outside(workflow, caller, { _ in }, onceClosed: .accepted) { (run, now) throws(RequestError) in
            try run.execution.decide(request, at: now)
        }
    }

    func terminate(_ workflow: WorkflowReference, _ request: TerminateRequest, _ caller: consuming Caller<Void>) {
        outside(workflow, caller, { _ in }) { (run, now) throws(RequestError) in
            try run.execution.decide(request, at: now)
        }
    }

    func resetStickyQueue(_ workflow: WorkflowReference, _ caller: consuming Caller<Void>) {
        outside(workflow, caller, { _ in }) { (run, now) throws(RequestError) in
            run.execution.decideStickyReset(at: now)
        }
    }

    /// How a request to a closed run is answered when the run is out of memory.
    private enum OnceClosed {
        case refused
        /// Like a request that took effect.
        case accepted
        /// Like a request that took effect, if the journal shows this id; otherwise the request is refused.
        case acceptedAgain(_ requestID: String)
    }

    /// - Parameter answer: the reply to a request to this run.
    private func outside<Success>(
        _ workflow: WorkflowReference,
        _ caller: consuming Caller<Success>,
        _ answer: @escaping @Sendable (RunID) -> Success,
        onceClosed: OnceClosed = .refused,
        _ body: @escaping @Sendable (CachedRun, Instant) throws(RequestError) -> Decision
    ) {
        guard !isFull else {
            return caller.refuse(
                RequestError(.resourceExhausted, "too many transitions wait to be committed; try again")
            )
        }
        resolve(workflow, caller) { (access: consuming RunAccess<Success>, resolved) in
            switch (resolved, onceClosed) {
            case (.missing, _): access.fail(workflow.missing)
            case (.closed(let row), .accepted): access.succeed(answer(row.runID))
            case (.closed(let row), .acceptedAgain(let requestID)) where !requestID.isEmpty:
                access.hasSeen(requestID, in: row) { $0 ? .success(answer(row.runID)) : .failure(.workflowClosed) }
            case (.closed, _): access.fail(.workflowClosed)
            case (.cached(let run), _) where run.isOpen && !run.belongs(toChainOf: workflow.firstRunID):
                access.fail(.chainNotFound)
            case (.cached(let run), _):
                let (shard, context) = (access.shard, access.context)
                let decision: Decision
                do throws(RequestError) {
                    decision = try body(run, shard.clock())
                } catch {
                    return access.fail(error)
                }
                access.carryOut(decision, on: run, answering: answer(run.runID))
                shard.requeueLostQueries(of: run, in: context)
            }
        }
    }

    // MARK: Commands from a topic

    /// The effect of a command.
    private enum CommandEffect {
        case refuse(code: String, message: String)
        case begin(StartRequest, StartVerdict)
        case decision(Decision, CachedRun)
    }

    func submit(_ command: IncomingCommand, _ caller: consuming Caller<CommandOutcome>) {
        let commandID = command.origin.commandID
        access(command.key, commandID: commandID, caller) { (access: consuming RunAccess<CommandOutcome>) in
            let shard = access.shard
            if access.isKnownCommand {
                return shard.answerDuplicate(LookUp(key: command.key, commandID: commandID), access)
            }
            let effect: CommandEffect
            do throws(RequestError) {
                effect = try shard.effect(of: command, in: access.context)
            } catch {
                effect = .refuse(code: Shard.reasonCode(error), message: error.message)
            }
            shard.carryOut(effect, of: command, access)
        }
    }

    /// Under the lock.
    private func effect(of command: IncomingCommand, in context: WorkflowContext) throws(RequestError) -> CommandEffect
    {
        let now = clock()
        switch command.action {
        case .refuse(let code, let message): return .refuse(code: code, message: message)
        case .start(let request):
            switch verdict(on: request, in: context) {
            case .refuse(let error): throw error
            case .existing(let started):
                let message = "the workflow runs already, RunId: \(started.runID); its events belong to its own start"
                throw RequestError(.alreadyExists, message)
            case .attach(let run):
                let message = "the workflow runs already, RunId: \(run.runID); its events belong to its own start"
                throw RequestError(.alreadyExists, message)
            case let verdict: return .begin(request, verdict)
            }
        case .signal(let request, let runID):
            let run = try openRun(command, runID, in: context)
            let decision = try run.execution.decide(request, at: now, limits: configuration.limits)
            if let refusal = refusal(of: decision, on: run, in: context) { throw refusal }
            return .decision(decision, run)
        case .cancel(let request, let runID):
            let run = try openRun(command, runID, in: context)
            let decision = try run.execution.decide(request, at: now)
            if let refusal = refusal(of: decision, on: run, in: context) { throw refusal }
            return .decision(decision, run)
        case .terminate(let request, let runID):
            let run = try openRun(command, runID, in: context)
            return .decision(try run.execution.decide(request, at: now), run)
        }
    }

    /// Under the lock.
    private func carryOut(
        _ effect: CommandEffect,
        of command: IncomingCommand,
        _ access: consuming RunAccess<CommandOutcome>
    ) {
        let context = access.context
        switch effect {
        case .refuse(let code, let message): reject(command, code, message, access)
        case .begin(let request, let verdict):
            begin(
                request,
                verdict,
                access,
                inbox: inboxRow(command, clock()),
                answering: { _ in .carriedOut },
                onFailure: Shard.answerFailure
            )
        case .decision(let decision, let run):
            let item = apply(decision, on: run, in: context, inbox: inboxRow(command, clock()))
            access.commit(item, answering: .carriedOut, onFailure: Shard.answerFailure)
            requeueLostQueries(of: run, in: context)
        }
    }

    /// The commit may find that the command was executed before.
    private static func answerFailure(_ failure: LaneFailure, _ reply: Reply<CommandOutcome>) {
        if failure.reason == .knownCommand { reply.succeed(.duplicate) } else { reply.fail(failure.error) }
    }

    private func openRun(
        _ command: IncomingCommand,
        _ runID: RunID?,
        in context: WorkflowContext
    ) throws(RequestError) -> CachedRun {
        guard let row = context.row else { throw .workflowNotFound(command.key.workflowID) }
        guard let run = context.cached, run.execution.isRunning, runID == nil || runID == run.runID else {
            throw runID == nil || runID == row.runID ? .workflowClosed : .workflowNotFound(command.key.workflowID)
        }
        return run
    }

    /// Under the lock: records the refusal of a command. It is as durable as any effect.
    private func reject(
        _ command: IncomingCommand,
        _ code: String,
        _ message: String,
        _ access: consuming RunAccess<CommandOutcome>
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
        reject(inboxRow(command, now), [encoder.encode(event)], access)
    }

    func deadLetter(
        _ source: RecordCoordinates,
        _ letter: OutboxRecord,
        _ caller: consuming Caller<CommandOutcome>
    ) {
        let key = source.letterKey
        let commandID = source.timestamp.map { "\(source.offset)@\($0)" } ?? String(source.offset)
        access(key, commandID: commandID, caller) { (access: consuming RunAccess<CommandOutcome>) in
            let shard = access.shard
            if access.isKnownCommand {
                return shard.answerDuplicate(LookUp(key: key, commandID: commandID), access)
            }
            let row = InboxRow(receivedAt: shard.clock(), key: key, commandID: commandID, source: source)
            shard.reject(row, [letter], access)
        }
    }

    /// Under the lock: answers a repeated command once the first one is known to be durable.
    private func answerDuplicate(_ command: LookUp, _ access: consuming RunAccess<CommandOutcome>) {
        let wasDecidedHere = state.recentCommands.contains(command)
        access.whenAllIsCommitted { [self] reply in
            // The first one could not be stored, or is no longer remembered here. The next lookup will tell.
            if wasDecidedHere, !perform({ state.recentCommands.contains(command) }) {
                return reply.fail(LaneFailure.lost.error)
            }
            reply.succeed(.duplicate)
        }
    }

    /// Under the lock: records a command that changes no run.
    private func reject(
        _ inbox: InboxRow,
        _ records: [OutboxRecord],
        _ access: consuming RunAccess<CommandOutcome>
    ) {
        state.recentCommands.insert(LookUp(key: inbox.key, commandID: inbox.commandID))
        let item = LaneItem(context: access.context, run: nil)
        item.basis = access.run
        item.inbox = inbox
        item.outbox = records
        access.commit(item, answering: .rejected, onFailure: Shard.answerFailure)
    }

    private func inboxRow(_ command: IncomingCommand, _ now: Instant) -> InboxRow {
        InboxRow(receivedAt: now, key: command.key, commandID: command.origin.commandID, source: command.source)
    }

    /// The code in the `rejected` event.
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
