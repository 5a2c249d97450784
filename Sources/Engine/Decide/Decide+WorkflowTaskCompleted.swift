public import SagamoreAPI
internal import SagamoreProtobuf

/// The completion of a workflow task.
public final class WorkflowTaskCompletedRequest: Sendable {
    /// The completed task.
    public let token: WorkflowTaskToken
    /// The request from the wire.
    public let request: RespondWorkflowTaskCompletedRequest
    /// The namespace of the run; nil where no command needs it.
    public let namespace: NamespaceName?
    /// The search attributes that the run's namespace knows; nil where no command needs them.
    public let attributes: SearchAttributeCatalog?

    public init(
        token: WorkflowTaskToken,
        request: RespondWorkflowTaskCompletedRequest,
        namespace: NamespaceName? = nil,
        attributes: SearchAttributeCatalog? = nil
    ) {
        self.attributes = attributes
        self.token = token
        self.request = request
        self.namespace = namespace
    }
}

extension Execution {
    /// Carries out the commands of workflow code.
    ///
    /// - Parameters:
    ///   - nextNonce: for the token of a next task in the response.
    ///   - successorID: the id of the next run, for a completion that may end this one in another:
    ///     `needsSuccessorID(for:)`.
    /// - Throws: `notFound` when the token's task is not the running one, `invalidArgument` when a command follows one
    ///   that ends the run, a message is empty, or a command cannot be carried out in a later attempt. A repeated
    ///   completion of the last completed task gets the same response again.
    public func decide(
        _ completion: WorkflowTaskCompletedRequest,
        nextNonce: UInt64,
        at now: Instant,
        limits: Limits = Limits(),
        successorID: RunID? = nil
    ) throws(RequestError) -> Decision {
        let token = completion.token
        if let completed = durable.completedTask, completed.nonce == token.nonce, completed.epoch == token.epoch {
            return repeated(completed, completion, at: now)
        }
        let started = try startedTask(of: token)
        try checkSequence(completion.request.commands)
        guard completion.request.messages.allSatisfy({ $0.body != nil }) else {
            throw .invalidArgument("nil message body")
        }
        try checkIdentifier(completion.request.workerVersionStamp?.buildID ?? "", "BuildId", missing: nil, limits)
        try checkIdentifier(completion.request.binaryChecksum, "BinaryChecksum", missing: nil, limits)
        var draft = Draft(self, at: now)
        let isWritten = !leavesNoTrace(completion, of: started)
        if isWritten { writeStarted(started, in: &draft) }
        let completedEventID = isWritten ? writeCompleted(started, completion, in: &draft) : 0
        var commands = CommandContext(completion, completedEventID: completedEventID, limits: limits)
        commands.successorID = successorID
        for command in completion.request.commands where !draft.isClosed {
            // A message is no part of a group.
            draft.eventGroupMarkers = command.commandType == .protocolMessage ? [] : command.eventGroupMarkers
            if let failure = carryOut(command, &commands, in: &draft) {
                return try refuse(completion, started, failure, at: now)
            }
        }
        draft.eventGroupMarkers = []
        if let failure = receiveOtherMessages(commands, started, in: &draft) {
            return try refuse(completion, started, failure, at: now)
        }
        if draft.isClosed { abortUpdates(in: &draft) } else { settleUpdates(in: &draft) }
        guard isWritten else {
            discard(completion, started, nextNonce: nextNonce, in: &draft)
            return draft.decision
        }
        finish(completion, started, commands, nextNonce: nextNonce, in: &draft)
        return ended(by: draft, limits) ?? draft.decision
    }

    private func finish(
        _ completion: WorkflowTaskCompletedRequest,
        _ started: StartedWorkflowTask,
        _ commands: CommandContext,
        nextNonce: UInt64,
        in draft: inout Draft
    ) {
        let sticky = completion.request.stickyAttributes?.workerTaskQueue?.name ?? ""
        var answer = WorkflowTaskCompletion()
        // Nothing is started for a run that the same commands close.
        let eagerActivities = draft.isClosed ? [] : commands.eagerActivities
        if draft.isClosed { draft.decision.offers = [] }
        for id in eagerActivities {
            guard let activity = draft.addedActivities[id] else { continue }
            let start = Fact.ActivityStart(
                scheduledEventID: id,
                attempt: 1,
                at: draft.now,
                identity: completion.request.identity,
                requestID: String(completion.token.nonce, radix: 16),
                buildID: started.buildID,
                nonce: started.nonce
            )
            draft.fact(.activityStarted(start))
            answer.eagerActivities.append(delivery(of: activity, at: draft.now, nonce: start.nonce))
        }
        draft.fact(
            .workflowTaskCompleted(
                Fact.CompletedWorkflowTask(
                    scheduledEventID: started.scheduledEventID,
                    startedEventID: started.startedEventID,
                    nonce: started.nonce,
                    epoch: started.epoch,
                    stickyQueue: sticky,
                    stickyScheduleToStart: Interval(completion.request.stickyAttributes?.scheduleToStartTimeout),
                    eagerActivities: eagerActivities
                )
            )
        )
        if !draft.isClosed {
            let hasBuffered = hasBufferedEvents(besides: draft)
            flushBufferedEvents(in: &draft)
            for canceled in commands.cancelledActivities {
                draft.event(.activityTaskCanceled, .activityTaskCanceledEventAttributes(canceled))
            }
            let needsTask =
                hasBuffered || completion.request.forceCreateNewWorkflowTask || commands.needsWorkflowTask
            answer.nextTask = scheduleNext(
                completion,
                needsTask: needsTask,
                previous: started.startedEventID,
                nonce: nextNonce,
                after: started,
                in: &draft
            )
        }
        draft.decision.reply = .completion(answer)
    }

    /// Forgets a speculative task of which nothing came.
    private func discard(
        _ completion: WorkflowTaskCompletedRequest,
        _ started: StartedWorkflowTask,
        nextNonce: UInt64,
        in draft: inout Draft
    ) {
        draft.volatile(.workflowTaskDiscarded)
        var answer = WorkflowTaskCompletion()
        answer.resetHistoryEventID = durable.previousStartedEventID
        answer.nextTask = scheduleNext(
            completion,
            needsTask: false,
            previous: durable.previousStartedEventID,
            nonce: nextNonce,
            after: started,
            in: &draft
        )
        draft.decision.reply = .completion(answer)
    }

    /// Makes the next task due, if there has to be one: for events that workflow code has not seen, or for updates that
    /// came while the task ran. A worker that asked for it gets it started.
    private func scheduleNext(
        _ completion: WorkflowTaskCompletedRequest,
        needsTask: Bool,
        previous: Int64,
        nonce: UInt64,
        after completed: StartedWorkflowTask,
        in draft: inout Draft
    ) -> WorkflowTaskDelivery? {
        let sticky = completion.request.stickyAttributes?.workerTaskQueue?.name ?? ""
        let isReturned = completion.request.returnNewWorkflowTask
        if needsTask || (!isReturned && hasWaitingUpdates(besides: draft)) {
            writeWorkflowTaskScheduled(in: &draft, sticky: sticky)
            guard isReturned else { return nil }
            let next = (id: draft.lastEventID, form: WorkflowTaskForm.written)
            return startNext(completion, next, sticky, previous: previous, nonce: nonce, after: completed, in: &draft)
        }
        guard hasWaitingUpdates(besides: draft) else { return nil }
        draft.volatile(.workflowTaskSpeculated(speculativeTask(sticky: sticky, draft)))
        let next = (id: draft.nextEventID, form: WorkflowTaskForm.speculative)
        return startNext(completion, next, sticky, previous: previous, nonce: nonce, after: completed, in: &draft)
    }

    /// Starts the task that was just scheduled for the same worker, which has the run in its cache with or without a
    /// sticky queue.
    private func startNext(
        _ completion: WorkflowTaskCompletedRequest,
        _ task: (id: Int64, form: WorkflowTaskForm),
        _ stickyQueue: String,
        previous: Int64,
        nonce: UInt64,
        after completed: StartedWorkflowTask,
        in draft: inout Draft
    ) -> WorkflowTaskDelivery {
        draft.decision.offers.removeAll { if case .workflow = $0 { true } else { false } }
        let next = StartedWorkflowTask(
            scheduledEventID: task.id,
            startedEventID: task.id + 1,
            attempt: 1,
            scheduledAt: draft.now,
            startedAt: draft.now,
            identity: completion.request.identity,
            requestID: requestIDOfCompletions,
            buildID: completed.buildID,
            nonce: nonce,
            epoch: completion.token.epoch,
            historyBytes: durable.historyBytes + draft.addedBytes,
            continueAsNewReasons: completed.continueAsNewReasons,
            form: task.form,
            stickyQueue: stickyQueue,
            normalQueue: durable.taskQueue,
            timeout: durable.taskTimeout
        )
        // A worker that asked for more time still has what the task before carried.
        let isHeartbeat = completion.request.forceCreateNewWorkflowTask
        let messages = messages(for: next, includesSent: !isHeartbeat, draft)
        draft.volatile(.workflowTaskStarted(next))
        return delivery(of: next, sticky: true, previous: previous, messages: messages, draft)
    }

    private func writeCompleted(
        _ started: StartedWorkflowTask,
        _ completion: WorkflowTaskCompletedRequest,
        in draft: inout Draft
    ) -> Int64 {
        var attributes = WorkflowTaskCompletedEventAttributes()
        attributes.scheduledEventID = started.scheduledEventID
        attributes.startedEventID = started.startedEventID
        attributes.identity = completion.request.identity
        attributes.binaryChecksum = completion.request.binaryChecksum
        attributes.workerVersion = completion.request.workerVersionStamp
        attributes.sdkMetadata = completion.request.sdkMetadata
        attributes.meteringMetadata = completion.request.meteringMetadata
        return draft.event(.workflowTaskCompleted, .workflowTaskCompletedEventAttributes(attributes)).id
    }

    /// Fails the task because its commands cannot be carried out, and reports the reason to the worker.
    ///
    /// - Throws: `invalidArgument` in a later attempt, which then runs until it times out. Otherwise a worker that
    ///   always responds the same would be retried without a pause, forever.
    private func refuse(
        _ completion: WorkflowTaskCompletedRequest,
        _ started: StartedWorkflowTask,
        _ refusal: CommandRefusal,
        at now: Instant
    ) throws(RequestError) -> Decision {
        if started.attempt > 1, !refusal.isTerminal, refusal.cause != .unhandledCommand {
            throw .invalidArgument(refusal.message)
        }
        var draft = Draft(self, at: now)
        func fail(in draft: inout Draft) {
            let failure = serverFailure(refusal.message, isRetryable: true)
            let identity = completion.request.identity
            writeFailed(started, cause: refusal.cause, failure: failure, identity: identity, in: &draft)
        }
        if refusal.isTerminal {
            writeStarted(started, in: &draft)
            fail(in: &draft)
            flushBufferedEvents(in: &draft)
            var attributes = WorkflowExecutionTerminatedEventAttributes()
            attributes.reason = refusal.message
            attributes.identity = serverIdentity
            draft.event(.workflowExecutionTerminated, .workflowExecutionTerminatedEventAttributes(attributes))
            closed(.terminated, in: &draft) { $0.reasonMessage = refusal.message }
            abortUpdates(in: &draft)
        } else {
            failSentUpdates(in: &draft)
            lose(started, in: &draft) { fail(in: &$0) }
        }
        draft.decision.reply = .refused(.invalidArgument(refusal.message))
        return draft.decision
    }

    /// The response to a repeated completion: its eager activities that have not changed, and the next task if it is
    /// still running.
    private func repeated(
        _ completed: Fact.CompletedWorkflowTask,
        _ completion: WorkflowTaskCompletedRequest,
        at now: Instant
    ) -> Decision {
        var decision = Decision()
        var answer = WorkflowTaskCompletion()
        for id in completed.eagerActivities {
            // Not one that was returned and given to another worker since.
            guard isRunning, let activity = durable.activities[id], activity.attempt == 1,
                activity.startedNonce == completed.nonce, let startedAt = activity.startedAt
            else { continue }
            answer.eagerActivities.append(delivery(of: activity, at: startedAt, nonce: completed.nonce))
        }
        if completion.request.returnNewWorkflowTask, let next = volatile.startedTask,
            next.requestID == requestIDOfCompletions
        {
            let previous = completed.startedEventID
            let draft = Draft(self, at: now)
            let messages = messages(for: next, draft)
            answer.nextTask = delivery(of: next, sticky: true, previous: previous, messages: messages, draft)
        }
        decision.reply = .completion(answer)
        return decision
    }

    /// Checks that a command that ends the run is the last one. Otherwise nothing is carried out, and the task
    /// continues.
    private func checkSequence(_ commands: [Command]) throws(RequestError) {
        guard let last = commands.dropLast().first(where: \.endsRun) else { return }
        let names = commands.map { mixedCase($0.commandType, prefix: "COMMAND_TYPE_") }
        let name = mixedCase(last.commandType, prefix: "COMMAND_TYPE_")
        throw .invalidArgument(
            "invalid command sequence: [\(names.joined(separator: ", "))], command \(name) must be the last command."
        )
    }
}

/// The request id in the Started event of a task that was returned with a completion, in Temporal's words: no poll has
/// taken it.
private let requestIDOfCompletions = "request-from-RespondWorkflowTaskCompleted"
