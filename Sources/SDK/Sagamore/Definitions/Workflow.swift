/// A workflow's state with an initial value. A struct whose properties all have default values conforms without further
/// code.
public protocol WorkflowState: Sendable {
    /// The initial state.
    init()
}

/// The state of a workflow without state.
public struct NoState: WorkflowState {
    /// The only value.
    public init() {}
}

/// Code that runs to completion whatever fails: its progress is in a history from which any process can continue.
///
/// `run` is replayed after each recovery and must behave the same each time. It may wait only for its context, and for
/// `async let` and task groups that do so; `Task { }`, `Task.sleep`, the main actor, locks and network belong in
/// activities. State that signals change and queries read is kept in the context.
public protocol Workflow: Sendable {
    /// The state that signals change and queries read.
    associatedtype State: WorkflowState = NoState
    /// The input.
    associatedtype Input: Codable & Sendable
    /// The output.
    associatedtype Output: Codable & Sendable

    /// Its name and task queue.
    static var type: WorkflowType<Input, Output> { get }

    /// Its handlers for signals and queries.
    static var handlers: [Handler<State>] { get }

    /// Called for every run, and for each replay.
    init()

    /// The workflow itself.
    ///
    /// - Throws: a ``WorkflowFailure`` to fail the workflow. Any other error counts as a bug, and the task is retried.
    func run(_ context: WorkflowContext<State>, _ input: Input) async throws -> Output
}

extension Workflow {
    /// None.
    public static var handlers: [Handler<State>] { [] }
}
