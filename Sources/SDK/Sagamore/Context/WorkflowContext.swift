public import FoundationEssentials
internal import SagamoreAPI
internal import SagamoreProtobuf

/// Everything that workflow code may wait for, ask and change. What it gives is the same each time the code runs.
///
/// Use it in the workflow's own code only: `run`, and the child tasks of `async let` and task groups.
public struct WorkflowContext<State: Sendable>: Sendable {
    let core: RunCore
    let box: StateBox<State>

    /// Which run this is.
    public var info: WorkflowInfo { core.info }

    /// What signals change and queries read. An assignment replaces the whole; where parts of the code run side by side,
    /// ``update(_:)`` changes it in one go.
    public var state: State {
        get { box.value }
        nonmutating set {
            guard (try? core.check()) != nil else { return }
            box.set(newValue)
        }
    }

    /// Changes the state, without anything in between. Until `change` is done, ``state`` is what it was.
    public func update(_ change: (inout State) -> Void) {
        guard (try? core.check()) != nil else { return }
        box.update(change)
    }

    // MARK: Waiting

    /// Runs an activity and waits for its result.
    ///
    /// - Parameters:
    ///   - activity: what to run.
    ///   - input: what goes in.
    ///   - options: how to run it, instead of the activity's own.
    /// - Throws: ``ActivityFailure`` when it did not succeed; ``CancelledFailure`` when the caller was cancelled before;
    ///   ``DataError`` when the input can't be written or the result not read.
    public func execute<Input, Output>(
        _ activity: Activity<Input, Output>,
        _ input: Input,
        options: ActivityOptions? = nil
    ) async throws -> Output {
        let result = try await core.executeActivity(
            activity.name,
            options ?? activity.options,
            try PayloadCoding.arguments(input)
        )
        return try PayloadCoding.first(result, as: Output.self)
    }

    /// Runs an activity without input and waits for its result. Throws what ``execute(_:_:options:)`` throws.
    public func execute<Output>(
        _ activity: Activity<Nothing, Output>,
        options: ActivityOptions? = nil
    ) async throws -> Output {
        try await execute(activity, Nothing(), options: options)
    }

    /// Waits for a durable timer. A duration of zero or less does not wait.
    /// - Throws: ``CancelledFailure`` when the caller was cancelled.
    public func sleep(for duration: Duration) async throws {
        try await core.sleep(for: duration)
    }

    /// Waits until something is true of the state. It is asked after everything that happens, so it should be quick, and
    /// must change nothing.
    /// - Throws: ``CancelledFailure`` when the caller was cancelled.
    public func condition(_ isMet: @escaping @Sendable (State) -> Bool) async throws {
        let box = box
        try await core.waitUntil { isMet(box.value) }
    }

    /// Waits until something is true of the state, at most for a time. False: the time was up.
    /// - Throws: ``CancelledFailure`` when the caller was cancelled.
    public func condition(
        within limit: Duration,
        _ isMet: @escaping @Sendable (State) -> Bool
    ) async throws -> Bool {
        if isMet(box.value) { return true }
        return try await withThrowingTaskGroup(of: Bool.self) { group in
            group.addTask {
                try await self.condition(isMet)
                return true
            }
            group.addTask {
                try await self.sleep(for: limit)
                return false
            }
            defer { group.cancelAll() }
            return try await group.next() ?? false
        }
    }

    // MARK: Cancellation

    /// Whether somebody has asked this workflow to end. Waits outside of shields then end with ``CancelledFailure``.
    public var isCancellationRequested: Bool { core.isCancelRequested }

    /// Runs `body` as if nobody had cancelled the workflow, before or meanwhile: for what has to be put in order.
    /// - Throws: what `body` throws.
    public func withCancellationShield<Result: Sendable>(
        _ body: @escaping @Sendable () async throws -> Result
    ) async throws -> Result {
        try await core.checkBeforeWait()
        return try await Task(executorPreference: core.executor) { try await body() }.value
    }

    // MARK: The same each time

    /// The time of the workflow task that runs. It stands still between waits.
    public var now: Date { Date(core.time) }

    /// A source of random numbers that are the same whenever this run is repeated, and others in other runs. Not for
    /// secrets: who knows the run's id can compute them.
    public func makeRandomNumberGenerator() -> WorkflowRandomNumberGenerator {
        WorkflowRandomNumberGenerator(generator: SplitMix64(seed: core.drawRandom()))
    }

    /// An id in the form of a UUID that is the same whenever this run is repeated.
    public func makeID() -> String {
        var generator = SplitMix64(seed: core.drawRandom())
        return generator.uuid()
    }

    /// Whether this code was run before and only goes where it was.
    public var isReplaying: Bool { core.isReplaying }

    /// Writes log lines, once: it is silent while the code only goes where it was.
    public var logger: WorkflowLogger { WorkflowLogger(core: core) }
}

/// Random numbers that are the same whenever a run is repeated.
public struct WorkflowRandomNumberGenerator: RandomNumberGenerator, Sendable {
    var generator: SplitMix64

    /// The next number.
    public mutating func next() -> UInt64 { generator.next() }
}

extension RunCore {
    /// The next number of the run's own; 0 for code that may not ask.
    func drawRandom() -> UInt64 {
        guard (try? check()) != nil else { return 0 }
        return random.next()
    }
}
