/// What a workflow's state is before anything has happened. A struct whose properties all have values conforms as it is.
public protocol WorkflowState: Sendable {
    /// The state before anything has happened.
    init()
}

/// The state of a workflow that keeps none.
public struct NoState: WorkflowState {
    /// The one value there is.
    public init() {}
}

/// Code that runs to its end whatever fails in between: each wait is in a history, and another process goes on from it.
///
/// `run` is called again for each recovery and has to do the same each time. It may wait for its context only, and for
/// `async let` and task groups that do; `Task { }`, `Task.sleep`, the main actor, locks and network belong into
/// activities. State that signals change and queries read lives behind the context.
public protocol Workflow: Sendable {
    /// What signals change and queries read.
    associatedtype State: WorkflowState = NoState
    /// What goes in.
    associatedtype Input: Codable & Sendable
    /// What comes out.
    associatedtype Output: Codable & Sendable

    /// Its name and task queue.
    static var type: WorkflowType<Input, Output> { get }

    /// What it does on signals and answers to queries.
    static var handlers: [Handler<State>] { get }

    /// Called for every run, and again for each recovery.
    init()

    /// The workflow itself.
    ///
    /// - Throws: a ``WorkflowFailure`` to fail the workflow; any other error is taken for a defect of this code, and
    ///   the task is tried again.
    func run(_ context: WorkflowContext<State>, _ input: Input) async throws -> Output
}

extension Workflow {
    /// None.
    public static var handlers: [Handler<State>] { [] }
}
