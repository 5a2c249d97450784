internal import SagamoreAPI
internal import SagamoreProtobuf

extension RunCore {
    /// Schedules an activity and waits for its result.
    ///
    /// - Parameter step: the step of a saga that it undoes.
    func executeActivity(
        _ name: String,
        _ options: ActivityOptions,
        _ input: RawMessage<Payloads>?,
        undoing step: String? = nil
    ) async throws -> RawMessage<Payloads>? {
        try await checkBeforeWait()
        let (sequence, wait) = try schedule(name, options, input, step)
        let resolution = try await withTaskCancellationHandler {
            try await withUnsafeThrowingContinuation { wait.continuation = $0 }
        } onCancel: {
            cancelActivity(sequence)
        }
        guard case .result(let payloads) = resolution else { return nil }
        return payloads
    }

    /// Kept out of the function that waits, so that its values do not stay in that frame.
    @inline(never)
    private func schedule(
        _ name: String,
        _ options: ActivityOptions,
        _ input: RawMessage<Payloads>?,
        _ step: String?
    ) throws -> (Int, ActivityWait) {
        if Task.isCancelled { throw CanceledError("activity '\(name)' was not started: its caller was cancelled") }
        let sequence = nextSequence()
        let wait = ActivityWait(name, options.cancellationType)
        activities[sequence] = wait
        ledger.issue(
            IssuedCommand(
                kind: .scheduleActivity,
                sequence: sequence,
                name: name,
                command: CommandMaker.scheduleActivity(
                    sequence,
                    name,
                    options,
                    input,
                    taskQueue: info.taskQueue,
                    undoing: step
                )
            )
        )
        return (sequence, wait)
    }

    /// Starts a timer and waits for it.
    func sleep(for duration: Duration) async throws {
        try await checkBeforeWait()
        if Task.isCancelled { throw CanceledError("the timer was not started: its caller was cancelled") }
        guard duration > .zero else { return }
        let sequence = nextSequence()
        ledger.issue(
            IssuedCommand(
                kind: .startTimer,
                sequence: sequence,
                name: "",
                command: CommandMaker.startTimer(sequence, duration)
            )
        )
        _ = try await withTaskCancellationHandler {
            try await withUnsafeThrowingContinuation { timers[sequence] = $0 }
        } onCancel: {
            cancelTimer(sequence)
        }
    }

    /// Waits until `isMet` is true. It is evaluated after every event.
    func waitUntil(_ isMet: @escaping @Sendable () -> Bool) async throws {
        try await checkBeforeWait()
        if isMet() { return }
        if Task.isCancelled { throw CanceledError("the condition was not met: its caller was cancelled") }
        let sequence = nextSequence()
        let wait = ConditionWait()
        conditions.append(
            Condition(
                sequence: sequence,
                isMet: isMet,
                onMet: { _ in wait.continuation?.resume(returning: .met) },
                onError: { wait.continuation?.resume(throwing: $0) }
            )
        )
        _ = try await withTaskCancellationHandler {
            try await withUnsafeThrowingContinuation { wait.continuation = $0 }
        } onCancel: {
            cancelCondition(sequence)
        }
    }

    /// Calls `onMet` once, as soon as `isMet` is true. Returns the argument for ``forgetCondition(_:)``.
    func watch(_ isMet: @escaping @Sendable () -> Bool, _ onMet: @escaping (_ core: RunCore) -> Void) -> Int {
        let sequence = nextSequence()
        conditions.append(Condition(sequence: sequence, isMet: isMet, onMet: onMet, onError: nil))
        return sequence
    }

    /// Removes a condition.
    func forgetCondition(_ sequence: Int) {
        conditions.removeAll { $0.sequence == sequence }
    }

    // MARK: Cancellation of waits

    private func cancelActivity(_ sequence: Int) {
        // A cancellation from outside the run is detected when the activation ends.
        guard (try? check()) != nil, let wait = activities[sequence] else { return }
        let failure = ActivityError(
            activity: wait.name,
            activityID: String(sequence),
            retryState: .cancelRequested,
            cause: CanceledError("the activity was cancelled"),
            scheduledEventID: wait.scheduledEventID
        )
        if ledger.withdraw(.scheduleActivity, sequence) {
            activities[sequence] = nil
            wait.continuation?.resume(throwing: failure)
            return
        }
        if wait.behavior != .abandon {
            ledger.issue(
                IssuedCommand(
                    kind: .cancelActivity,
                    sequence: sequence,
                    name: wait.name,
                    command: CommandMaker.cancelActivity(wait.scheduledEventID)
                )
            )
        }
        if wait.behavior != .waitCancellationCompleted {
            activities[sequence] = nil
            wait.continuation?.resume(throwing: failure)
        }
    }

    private func cancelTimer(_ sequence: Int) {
        guard (try? check()) != nil, let continuation = timers.removeValue(forKey: sequence) else { return }
        if !ledger.withdraw(.startTimer, sequence) {
            ledger.issue(
                IssuedCommand(
                    kind: .cancelTimer,
                    sequence: sequence,
                    name: "",
                    command: CommandMaker.cancelTimer(sequence)
                )
            )
        }
        continuation.resume(throwing: CanceledError("the timer was cancelled"))
    }

    private func cancelCondition(_ sequence: Int) {
        guard (try? check()) != nil, let index = conditions.firstIndex(where: { $0.sequence == sequence }) else {
            return
        }
        conditions.remove(at: index).onError?(CanceledError("the wait for a condition was cancelled"))
    }
}
