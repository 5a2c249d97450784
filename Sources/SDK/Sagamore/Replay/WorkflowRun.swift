package import SagamoreAPI
internal import SagamoreLogging
internal import SagamoreProtobuf

/// One run in this worker: consumes parts of its history and produces commands.
///
/// Unchecked: the worker uses it from one thread at a time.
package final class WorkflowRun: @unchecked Sendable {
    /// The outcome of a workflow task.
    package enum Outcome {
        /// The commands to send; the last one may end the run.
        case commands([Command])
        /// The task fails and will be retried.
        case failed(TaskFailure)
    }

    /// Why a workflow task fails.
    package struct TaskFailure {
        let cause: WorkflowTaskFailedCause
        package let error: any Error
    }

    let core: RunCore
    private let code: any RunCode
    private var task: Task<Void, Never>?
    private var hasEnded = false
    /// The start of the last workflow task that was processed.
    package private(set) var lastStartedEventID: Int64 = 0
    /// The last event that confirmed a command. A run rebuilt for a query has seen events after its last task, which
    /// the next task delivers again.
    private var confirmedThrough: Int64 = 0
    private static let logger = Logger(label: "sagamore.workflow")

    init(_ info: WorkflowInfo, _ code: any RunCode) {
        core = RunCore(info)
        self.code = code
    }

    /// A run of this workflow.
    package convenience init<Code: Workflow>(_ info: WorkflowInfo, of type: Code.Type) {
        self.init(info, TypedRunCode<Code>(HandlerTable(Code.handlers)))
    }

    /// Returns the messages since the last call.
    package func takeMessages() -> [ProtocolMessage] { core.takeMessages() }

    /// Whether the code has ended.
    var isOver: Bool { hasEnded }

    /// Processes the next part of the history, up to the workflow task that needs commands.
    ///
    /// - Parameter updates: those that arrived with the workflow task.
    package func handle(_ events: [HistoryEvent], updates: [UpdateInput] = []) -> Outcome {
        var (activations, rest) = HistorySplitter.split(events)
        if !activations.isEmpty, !updates.isEmpty {
            activations[activations.count - 1].updates += updates
        }
        do throws(RunFailure) {
            for activation in activations { try run(activation) }
            try confirm(rest)
        } catch {
            return .failed(error.failure)
        }
        return .commands(core.ledger.takeUnsent())
    }

    /// The server has dropped the last workflow task: the next one follows this event.
    package func resetHistory(to startedEventID: Int64) { lastStartedEventID = startedEventID }

    /// Answers a query from the current state.
    func answer(_ query: WorkflowQuery) -> Result<RawMessage<Payloads>, any Error> {
        Result { try code.answer(query.queryType, query.queryArgs) }
    }

    /// Evicts the run: its waits fail, and nothing its code does afterwards has an effect.
    ///
    /// - Returns: whether the code ended. Otherwise it is suspended forever, and its memory is leaked.
    @discardableResult
    package func evict() -> Bool {
        core.executor.enter {
            core.die { task?.cancel() }
            _ = core.executor.takeEscape()
        }
        core.executor.retire()
        return task == nil || core.ending != nil
    }

    // MARK: One activation

    private struct RunFailure: Error { let failure: TaskFailure }

    private func run(_ activation: Activation) throws(RunFailure) {
        try confirm(activation)
        let result = core.executor.enter { () -> Result<Void, RunFailure> in
            _ = core.executor.takeEscape()
            core.time = activation.time
            core.isReplaying = activation.isReplay
            core.suggestsContinueAsNew = activation.suggestsContinueAsNew
            core.historyLength = Int(activation.startedEventID)
            core.historyBytes = Int(activation.historyBytes)
            for event in activation.news { handleSignal(event) }
            for update in activation.updates { code.update(core, update) }
            core.settle()
            for event in activation.news where deliver(event) { core.settle() }
            return checkViolations()
        }
        lastStartedEventID = activation.startedEventID
        try result.get()
        if !hasEnded, let ending = core.ending {
            hasEnded = true
            try end(ending)
        }
        if activation.isReplay {
            core.ledger.markSent()
            core.messages = []
        }
    }

    private func confirm(_ activation: Activation) throws(RunFailure) {
        do throws(NondeterminismError) {
            for event in activation.commandEvents where event.eventID > confirmedThrough {
                confirmedThrough = event.eventID
                guard let (command, eventID) = try core.ledger.confirm(event) else { continue }
                core.confirmed(command, eventID)
            }
            if activation.startedEventID > 0 {
                try core.ledger.checkConfirmed(before: activation.startedEventID)
            }
        } catch {
            throw RunFailure(failure: TaskFailure(cause: .nonDeterministicError, error: error))
        }
    }

    private func handleSignal(_ event: HistoryEvent) {
        guard case .workflowExecutionSignaledEventAttributes(let signal) = event.attributes else { return }
        let problem: String
        switch code.signal(core, event.eventID, signal.signalName, signal.input) {
        case .handled: return
        case .unknown: problem = "no handler"
        case .unreadable(let error): problem = "\(error)"
        }
        guard !core.isReplaying else { return }
        Self.logger.warning(
            "a signal had no effect",
            metadata: [
                "signal": "\(signal.signalName)", "event": "\(event.eventID)", "reason": "\(problem)",
                "workflow_id": "\(core.info.workflowID)", "run_id": "\(core.info.runID)",
            ]
        )
    }

    /// Delivers an event to the code. Returns true when it may have resumed the code.
    private func deliver(_ event: HistoryEvent) -> Bool {
        switch event.attributes {
        case .workflowExecutionStartedEventAttributes(let started):
            // A reset run repeats what the original one did, with the same random numbers.
            if !started.originalExecutionRunID.isEmpty { core.seedRandom(started.originalExecutionRunID) }
            core.retryPolicy = started.retryPolicy
            task = code.start(core, started.input)
        case .workflowTaskFailedEventAttributes(let failed):
            // From here on, the reset run goes its own way.
            if failed.cause == .resetWorkflow { core.seedRandom(failed.newRunID) }
            return false
        case .activityTaskCompletedEventAttributes(let done):
            core.resolveActivity(done.scheduledEventID, .success(done.result))
        case .activityTaskFailedEventAttributes(let failed):
            endActivity(failed.scheduledEventID, failed.startedEventID, failed.retryState, failed.failure)
        case .activityTaskTimedOutEventAttributes(let timedOut):
            endActivity(timedOut.scheduledEventID, timedOut.startedEventID, timedOut.retryState, timedOut.failure)
        case .activityTaskCanceledEventAttributes(let cancelled):
            var failure = Failure()
            failure.message = "the activity was cancelled"
            var info = CanceledFailureInfo()
            info.details = cancelled.details?.decodedOrNil
            failure.failureInfo = .canceledFailureInfo(info)
            endActivity(
                cancelled.scheduledEventID,
                cancelled.startedEventID,
                .cancelRequested,
                RawMessage(failure)
            )
        case .timerFiredEventAttributes(let fired):
            core.fireTimer(fired.timerID)
        case .workflowExecutionCancelRequestedEventAttributes:
            core.isCancelRequested = true
            task?.cancel()
        default:
            return core.deliverOfOtherWorkflow(event)
        }
        return true
    }

    private func endActivity(
        _ scheduledEventID: Int64,
        _ startedEventID: Int64,
        _ retryState: RetryState,
        _ cause: RawMessage<Failure>?
    ) {
        guard let sequence = core.ledger.sequence(initiatedBy: scheduledEventID) else { return }
        let failure = ActivityError(
            activity: core.activities[sequence]?.name ?? "",
            activityID: String(sequence),
            retryState: ActivityError.RetryState(rawValue: retryState.rawValue),
            cause: FailureCoding.error(cause),
            scheduledEventID: scheduledEventID,
            startedEventID: startedEventID
        )
        core.resolveActivity(scheduledEventID, .failure(failure))
    }

    /// Looks for violations of the rules for workflow code.
    private func checkViolations() -> Result<Void, RunFailure> {
        if let error = core.handlerError {
            return .failure(RunFailure(failure: TaskFailure(cause: .workflowWorkerUnhandledFailure, error: error)))
        }
        let violation: NondeterminismError
        if core.executor.takeEscape() {
            violation = .escaped
        } else if core.wasUsedElsewhere {
            violation = .usedElsewhere
        } else if core.ending == nil, task != nil, !core.hasWaits {
            violation = .waitsForOther
        } else if core.executor.hasForeignJobs {
            violation = .resumedElsewhere
        } else {
            return .success(())
        }
        return .failure(RunFailure(failure: TaskFailure(cause: .nonDeterministicError, error: violation)))
    }

    private func end(_ ending: RunCore.Ending) throws(RunFailure) {
        let command: IssuedCommand
        switch ending {
        case .completed(let result):
            command = IssuedCommand(kind: .complete, sequence: 0, name: "", command: CommandMaker.complete(result))
        case .failed(let error) where core.isCancelRequested && CanceledError.isCancellation(error):
            let details = (error as? CanceledError)?.details.raw
            command = IssuedCommand(kind: .cancel, sequence: 0, name: "", command: CommandMaker.cancel(details))
        case .failed(let next as ContinueAsNew):
            let message = CommandMaker.continueAsNew(next, retryPolicy: core.retryPolicy)
            command = IssuedCommand(kind: .continueAsNew, sequence: 0, name: "", command: message)
        case .failed(let error) where error is any WorkflowFailure:
            command = IssuedCommand(kind: .fail, sequence: 0, name: "", command: CommandMaker.fail(error))
        case .failed(let error):
            let isViolation = error is NondeterminismError
            throw RunFailure(
                failure: TaskFailure(
                    cause: isViolation ? .nonDeterministicError : .workflowWorkerUnhandledFailure,
                    error: error
                )
            )
        }
        core.ledger.issue(command)
    }
}
