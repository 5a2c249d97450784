/// An error that ends a workflow as failed when `run` throws it.
///
/// Every other error that leaves `run` counts as a bug: it fails the workflow *task*, which is retried until the code
/// is fixed. The workflow then continues from where it was.
public protocol WorkflowFailure: Error {
    /// The cause, if any.
    var cause: (any Error)? { get }
}
