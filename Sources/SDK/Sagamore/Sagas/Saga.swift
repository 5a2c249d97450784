internal import SagamoreAPI
internal import SagamoreProtobuf

/// Steps that take effect together or not at all: each has an activity that undoes it.
///
///     try await Saga.run(context, abortWhen: { $0.cancelled }) { saga in
///         let car = try await saga.step(Travel.bookCar, item, undo: Travel.undoCar)
///         ...
///     }
///
/// When a step fails, `abortWhen` returns a reason, or the workflow is cancelled, all steps that were *tried* are
/// undone in reverse order: a failed step may have taken effect. Nothing interrupts the undos. Each is retried by its
/// own retry policy, and one that fails permanently does not stop the others.
///
/// Unchecked: only the code of one run uses it, on the run's executor.
public final class Saga: @unchecked Sendable {
    private enum Stop {
        case aborted(String)
        case cancelled
    }

    private let core: RunCore
    /// The steps tried so far, in order.
    private var steps: [Step] = []
    private var stop: Stop?

    private init(_ core: RunCore) { self.core = core }

    /// Runs steps, and undoes them if the saga fails.
    ///
    /// - Parameters:
    ///   - context: the workflow's.
    ///   - abortWhen: evaluated after every event; the saga is aborted with the reason that it returns.
    ///   - body: the steps, sequential or concurrent (`async let`, task groups).
    /// - Returns: what `body` returns.
    /// - Throws: ``SagaCompensatedError``, ``SagaCompensationFailedError``, or ``CanceledError`` when the workflow was
    ///   cancelled and everything was undone; its details are the compensations. An error of `body` that is not a
    ///   ``WorkflowFailure`` counts as a bug: it is rethrown and nothing is undone, since fixed code will continue from
    ///   here.
    public static func run<State, Output: Sendable>(
        _ context: WorkflowContext<State>,
        abortWhen: (@Sendable (State) -> String?)? = nil,
        _ body: @escaping @Sendable (Saga) async throws -> Output
    ) async throws -> Output {
        let core = context.core
        try await core.checkBeforeWait()
        let saga = Saga(core)
        // A saga that is aborted before it begins tries no step.
        if let reason = abortWhen?(context.box.value) { saga.stop = .aborted(reason) }
        let work = Task(executorPreference: core.executor) { try await body(saga) }
        if saga.stop != nil { work.cancel() }
        var watch: Int?
        if let abortWhen {
            let box = context.box
            watch = core.watch({ abortWhen(box.value) != nil }) { _ in
                guard saga.stop == nil else { return }
                saga.stop = .aborted(abortWhen(box.value) ?? "the saga was aborted")
                work.cancel()
            }
        }
        let result = await withTaskCancellationHandler {
            await work.result
        } onCancel: {
            guard (try? core.check()) != nil else {
                work.cancel()
                return
            }
            if saga.stop == nil { saga.stop = .cancelled }
            work.cancel()
        }
        if let watch, !core.isDead { core.forgetCondition(watch) }
        return try await saga.finish(context, result)
    }

    /// Runs an activity as a step of the saga.
    ///
    /// - Parameters:
    ///   - activity: what to do.
    ///   - input: the input of both.
    ///   - undo: undoes the step. It must accept a step that never took effect.
    ///   - options: override the activity's own options. A cancelled step is always awaited, so that its undo does not
    ///     overtake it.
    ///   - undoOptions: override the options of the undo's activity.
    /// - Throws: what `WorkflowContext.execute` throws.
    public func step<Input, Output, Undone>(
        _ activity: Activity<Input, Output>,
        _ input: Input,
        undo: Activity<Input, Undone>,
        options: ActivityOptions? = nil,
        undoOptions: ActivityOptions? = nil
    ) async throws -> Output {
        try await step(
            activity,
            input,
            undo: undo,
            undoInput: input,
            options: options,
            undoOptions: undoOptions
        )
    }

    /// Runs an activity as a step of the saga whose undo has an input of its own.
    ///
    /// - Parameters: as ``step(_:_:undo:options:undoOptions:)``, with `undoInput` for the undo.
    /// - Throws: what `WorkflowContext.execute` throws.
    public func step<Input, Output, UndoInput, Undone>(
        _ activity: Activity<Input, Output>,
        _ input: Input,
        undo: Activity<UndoInput, Undone>,
        undoInput: UndoInput,
        options: ActivityOptions? = nil,
        undoOptions: ActivityOptions? = nil
    ) async throws -> Output {
        let step = Step(
            .activity(activity.name, options ?? activity.options),
            undo: .activity(undo.name, undoOptions ?? undo.options),
            undoInput: Result { try PayloadCoding.arguments(undoInput) }
        )
        return try end(try await run(step, Result { try PayloadCoding.arguments(input) }))
    }

    /// Runs a child workflow as a step of the saga, undone by an activity.
    ///
    /// A child that fails may have taken effect, so it is undone as well, unless it could not be started.
    /// - Parameters:
    ///   - child: what to do. A child that is a saga itself undoes its own steps when it fails.
    ///   - input: the child's input.
    ///   - undo: undoes the step. It must accept a step that never took effect.
    ///   - undoInput: the input of the undo.
    ///   - options: the child's id, timeouts and policies. A cancelled step is always awaited.
    ///   - undoOptions: override the options of the undo's activity.
    /// - Throws: what `WorkflowContext.execute(child:_:_:)` throws.
    public func step<Input, Output, UndoInput, Undone>(
        child: WorkflowType<Input, Output>,
        _ input: Input,
        _ options: ChildWorkflowOptions = ChildWorkflowOptions(),
        undo: Activity<UndoInput, Undone>,
        undoInput: UndoInput,
        undoOptions: ActivityOptions? = nil
    ) async throws -> Output {
        let step = Step(
            .child(child.name, child.taskQueue, options),
            undo: .activity(undo.name, undoOptions ?? undo.options),
            undoInput: Result { try PayloadCoding.arguments(undoInput) }
        )
        return try end(try await run(step, Result { try PayloadCoding.arguments(input) }))
    }

    /// Runs a child workflow as a step of the saga, undone by another child workflow.
    ///
    /// - Parameters: as ``step(child:_:_:undo:undoInput:undoOptions:)``, with the options of the undo's workflow.
    /// - Throws: what `WorkflowContext.execute(child:_:_:)` throws.
    public func step<Input, Output, UndoInput, Undone>(
        child: WorkflowType<Input, Output>,
        _ input: Input,
        _ options: ChildWorkflowOptions = ChildWorkflowOptions(),
        undo: WorkflowType<UndoInput, Undone>,
        undoInput: UndoInput,
        undoOptions: ChildWorkflowOptions = ChildWorkflowOptions()
    ) async throws -> Output {
        let step = Step(
            .child(child.name, child.taskQueue, options),
            undo: .child(undo.name, undo.taskQueue, undoOptions),
            undoInput: Result { try PayloadCoding.arguments(undoInput) }
        )
        return try end(try await run(step, Result { try PayloadCoding.arguments(input) }))
    }

    /// What a step or an undo runs.
    private enum Work {
        case activity(String, ActivityOptions)
        case child(String, _ taskQueue: String, ChildWorkflowOptions)

        var name: String {
            switch self {
            case .activity(let name, _), .child(let name, _, _): name
            }
        }

        /// The same work, whose caller waits for its end when it is cancelled.
        var awaited: Work {
            switch self {
            case .activity(let name, var options):
                options.cancellationType = .waitCancellationCompleted
                return .activity(name, options)
            case .child(let name, let queue, var options):
                options.cancellationType = .waitCancellationCompleted
                return .child(name, queue, options)
            }
        }

        /// - Parameter step: the step that this undoes.
        func run(
            _ core: RunCore,
            _ input: RawMessage<Payloads>?,
            undoing step: String? = nil
        ) async throws -> RawMessage<Payloads>? {
            switch self {
            case .activity(let name, let options):
                return try await core.executeActivity(name, options, input, undoing: step)
            case .child(let name, let queue, let options):
                return try await core.result(
                    of: try await core.startChild(name, queue, options, input, undoing: step)
                )
            }
        }
    }

    /// A step with its types erased. The frames of suspended code stay in memory for every run, and generic code has
    /// large ones.
    private final class Step {
        let work: Work
        let undo: Work
        let undoInput: Result<RawMessage<Payloads>?, any Error>

        init(_ work: Work, undo: Work, undoInput: Result<RawMessage<Payloads>?, any Error>) {
            self.work = work.awaited
            self.undo = undo
            self.undoInput = undoInput
        }
    }

    /// - Parameter input: the step's input. It is released when the step ends; the undo's input stays with the step.
    private func run(
        _ step: Step,
        _ input: Result<RawMessage<Payloads>?, any Error>
    ) async throws -> RawMessage<Payloads>? {
        try await core.checkBeforeWait()
        try begin(step, input)
        do {
            return try await step.work.run(core, try input.get())
        } catch let failure as ActivityError where failure.scheduledEventID == 0 {
            // Withdrawn before it was sent to the server, so it was not tried.
            steps.removeAll { $0 === step }
            throw failure
        } catch let failure as ChildWorkflowError where failure.runID.isEmpty {
            // It never started.
            steps.removeAll { $0 === step }
            throw failure
        }
    }

    /// Records a step that is about to be tried, so that it can be undone.
    @inline(never)
    private func begin(_ step: Step, _ input: Result<RawMessage<Payloads>?, any Error>) throws {
        if Task.isCancelled || stop != nil { throw CanceledError("the saga was aborted before this step") }
        _ = try input.get()
        _ = try step.undoInput.get()
        steps.append(step)
    }

    @inline(never)
    private func end<Output: Decodable>(_ result: RawMessage<Payloads>?) throws -> Output {
        if stop != nil { throw CanceledError("the saga was aborted while this step ran") }
        return try PayloadCoding.first(result, as: Output.self)
    }

    private func finish<State, Output: Sendable>(
        _ context: WorkflowContext<State>,
        _ result: Result<Output, any Error>
    ) async throws -> Output {
        // The code of an evicted run is unwinding and must not start undos.
        try await core.checkBeforeWait()
        let error: (any Error)?
        switch result {
        case .success(let output):
            if stop == nil { return output }
            error = nil
        case .failure(let failure):
            guard failure is any WorkflowFailure || CanceledError.isCancellation(failure) else { throw failure }
            error = failure
        }
        let own = try await context.withCancellationShield { try await self.rollBack() }
        // A nested saga reports in its error what it undid and what it could not undo.
        let compensations = Self.compensations(error) + own
        let cause = error.flatMap { CanceledError.isCancellation($0) ? nil : $0 }
        let reason = reason(error)
        if compensations.contains(where: { $0.status == .failed }) {
            throw SagaCompensationFailedError(reason: reason, compensations: compensations, cause: cause)
        }
        if case .cancelled = stop {
            throw CanceledError(reason, details: try EncodedValues(compensations))
        }
        throw SagaCompensatedError(reason: reason, compensations: compensations, cause: cause)
    }

    /// The compensations that `error` reports.
    private static func compensations(_ error: (any Error)?) -> [SagaCompensation] {
        switch error {
        case let error as SagaCompensatedError: error.compensations
        case let error as SagaCompensationFailedError: error.compensations
        case let error as ChildWorkflowError: compensations(error.cause)
        case let error as CanceledError: (try? error.details.decode([SagaCompensation].self)) ?? []
        default: []
        }
    }

    private func reason(_ error: (any Error)?) -> String {
        switch stop {
        case .cancelled: return "the workflow was cancelled"
        case .aborted(let reason): return reason
        case nil: break
        }
        guard let error else { return "the saga was aborted" }
        if let failure = error as? ActivityError {
            return "\(failure.activity) failed: \(SagaCompensation.FailureDescription(failure).message)"
        }
        if let failure = error as? ChildWorkflowError {
            return "\(failure.workflow) failed: \(SagaCompensation.FailureDescription(failure).message)"
        }
        return SagaCompensation.FailureDescription(error).message
    }

    private func rollBack() async throws -> [SagaCompensation] {
        var compensations: [SagaCompensation] = []
        while let step = steps.popLast() {
            var failure: SagaCompensation.FailureDescription?
            do {
                _ = try await step.undo.run(core, try step.undoInput.get(), undoing: step.work.name)
            } catch let error as ActivityError {
                failure = SagaCompensation.FailureDescription(error)
            } catch let error as ChildWorkflowError {
                failure = SagaCompensation.FailureDescription(error)
            }
            compensations.append(
                SagaCompensation(
                    step: step.work.name,
                    compensation: step.undo.name,
                    status: failure == nil ? .compensated : .failed,
                    failure: failure
                )
            )
        }
        return compensations
    }
}
