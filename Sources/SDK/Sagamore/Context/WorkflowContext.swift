public import FoundationEssentials
internal import SagamoreAPI
internal import SagamoreProtobuf
internal import SagamoreThreads

/// Everything that workflow code may wait for, read, and change. Its results are the same in every replay.
///
/// Use it only in the workflow's own code: `run`, and child tasks of `async let` and task groups.
public struct WorkflowContext<State: Sendable>: Sendable {
    let core: RunCore
    let box: StateBox<State>

    /// The run, its workflow, and its task queue.
    public var info: WorkflowInfo { core.info }

    /// The state that signals change and queries read. Assigning replaces the whole value; concurrent code should use
    /// ``update(_:)`` for atomic changes.
    public var state: State {
        get { box.value }
        nonmutating set {
            guard (try? core.check()) != nil else { return }
            box.set(newValue)
        }
    }

    /// Changes the state atomically. Until `change` returns, ``state`` is the old value.
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
    ///   - options: override the activity's own options.
    /// - Throws: ``ActivityError`` when it failed; ``CanceledError`` when the caller had been cancelled before;
    ///   ``DataError`` when the input cannot be encoded or the result cannot be decoded.
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
    /// - Throws: ``CanceledError`` when the caller was cancelled.
    public func sleep(for duration: Duration) async throws {
        try await core.sleep(for: duration)
    }

    /// Waits until a predicate on the state is true. It is evaluated after every event, so it should be fast and must
    /// not have side effects.
    /// - Throws: ``CanceledError`` when the caller was cancelled.
    public func condition(_ isMet: @escaping @Sendable (State) -> Bool) async throws {
        let box = box
        try await core.waitUntil { isMet(box.value) }
    }

    /// Waits until a predicate on the state is true. Returns false on timeout.
    /// - Throws: ``CanceledError`` when the caller was cancelled.
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

    /// Waits until no handler of a signal or an update is running. Call it before `run` returns: what they were doing
    /// ends with it, and callers of updates get an error instead of the result.
    /// - Throws: ``CanceledError`` when the caller was cancelled.
    public func allHandlersFinished() async throws {
        let core = core
        try await core.waitUntil { core.runningHandlers == 0 }
    }

    // MARK: Cancellation

    /// Whether cancellation was requested. If so, waits outside of shields throw ``CanceledError``.
    public var isCancellationRequested: Bool { core.isCancelRequested }

    /// Runs `body` shielded from cancellation, for cleanup and compensation.
    /// - Throws: what `body` throws.
    public func withCancellationShield<Result: Sendable>(
        _ body: @escaping @Sendable () async throws -> Result
    ) async throws -> Result {
        try await core.checkBeforeWait()
        return try await Task(executorPreference: core.executor) { try await body() }.value
    }

    // MARK: Deterministic values

    /// The time of the current workflow task. It does not advance between waits.
    public var now: Date { Date(core.time) }

    /// A random number generator whose numbers are the same in every replay of this run, and differ between runs. Not
    /// for secrets: anyone who knows the run id can compute them.
    public func makeRandomNumberGenerator() -> WorkflowRandomNumberGenerator {
        WorkflowRandomNumberGenerator(generator: SplitMix64(seed: core.drawRandom()))
    }

    /// A UUID that is the same in every replay of this run.
    public func makeUUID() -> UUID {
        var generator = SplitMix64(seed: core.drawRandom())
        return generator.uuid()
    }

    /// Whether the code is being replayed.
    public var isReplaying: Bool { core.isReplaying }

    /// Whether the server suggests to continue as new, because the history has become long. See ``ContinueAsNew``.
    public var isContinueAsNewSuggested: Bool { core.suggestsContinueAsNew }

    /// The number of events in the history, as of the current workflow task.
    public var historyLength: Int { core.historyLength }

    /// The size of the history in bytes, as of the current workflow task.
    public var historyBytes: Int { core.historyBytes }

    /// A logger that is silent during replay, so that each line is written once.
    public var logger: ContextLogger { ContextLogger(core) }
}

/// A random number generator whose numbers are the same in every replay of a run.
public struct WorkflowRandomNumberGenerator: RandomNumberGenerator, Sendable {
    var generator: SplitMix64

    /// The next number.
    public mutating func next() -> UInt64 { generator.next() }
}

extension RunCore {
    /// The run's next random number; 0 for code outside the run.
    func drawRandom() -> UInt64 {
        guard (try? check()) != nil else { return 0 }
        return random.next()
    }
}

/// The run, its workflow, and its task queue.
public struct WorkflowInfo: Sendable, Hashable {
    /// Its namespace.
    public let namespace: String
    /// The id that its starter chose.
    public let workflowID: String
    /// The id of this run of it.
    public let runID: String
    /// The name of its type.
    public let type: String
    /// The task queue of the workers that run it.
    public let taskQueue: String
    /// The attempt, from 1; more than 1 when a retry policy repeats the workflow.
    public internal(set) var attempt: Int
    /// The workflow that started this one as its child, if one did.
    public internal(set) var parent: Parent?
    /// The id of the run that this one continues; nil for the first run of a chain.
    public internal(set) var continuedRunID: String?

    /// The workflow that started a child.
    public struct Parent: Sendable, Hashable {
        /// Its namespace.
        public let namespace: String
        /// Its workflow id.
        public let workflowID: String
        /// Its run.
        public let runID: String
    }
}

extension WorkflowInfo {
    /// A first run in the namespace `default`, without a parent.
    package init(workflowID: String, runID: String, type: String, taskQueue: String) {
        self.init(
            namespace: "default",
            workflowID: workflowID,
            runID: runID,
            type: type,
            taskQueue: taskQueue,
            attempt: 1
        )
    }
}

/// A workflow's state, shared by its code, its signal handlers and its query handlers.
///
/// Reads and writes copy the whole value, so no access is held across a suspension. The optimizer may assume that, and
/// every read sees the latest write.
final class StateBox<State: Sendable>: Sendable {
    private let state: Locked<State>

    init(_ state: State) { self.state = Locked(state) }

    var value: State { state.withLock { $0 } }

    func set(_ new: State) { state.withLock { $0 = new } }

    /// Runs `body` without the lock, so it may read the state.
    func update(_ body: (inout State) -> Void) {
        var changed = value
        body(&changed)
        set(changed)
    }
}
