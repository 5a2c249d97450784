internal import SagamoreAPI
internal import SagamoreProtobuf

/// Throw it from `run` to end this run and begin another one of the same workflow, with an empty history.
///
///     if context.isContinueAsNewSuggested { throw try ContinueAsNew(Counters.counter, context.state.count) }
///
/// The new run has the same workflow id, memo and search attributes, and what remains of the execution timeout. Signals
/// that this run has not seen are not lost: the server lets it see them first.
public struct ContinueAsNew: Error, Sendable {
    let type: String
    let taskQueue: String
    let input: RawMessage<Payloads>?
    let runTimeout: Duration?
    let taskTimeout: Duration?

    /// Describes the next run.
    ///
    /// - Parameters:
    ///   - type: its type, which may be another one.
    ///   - input: its input.
    ///   - taskQueue: the task queue of the workers that run it; nil means the type's.
    ///   - runTimeout: the limit for it; nil means this run's.
    ///   - taskTimeout: the limit for one of its workflow tasks; nil means this run's.
    /// - Throws: ``DataError`` when the input cannot be encoded.
    public init<Input, Output>(
        _ type: WorkflowType<Input, Output>,
        _ input: Input,
        taskQueue: String? = nil,
        runTimeout: Duration? = nil,
        taskTimeout: Duration? = nil
    ) throws {
        self.type = type.name
        self.taskQueue = taskQueue ?? type.taskQueue
        self.input = try PayloadCoding.arguments(input)
        self.runTimeout = runTimeout
        self.taskTimeout = taskTimeout
    }
}
