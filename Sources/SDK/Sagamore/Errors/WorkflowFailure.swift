/// An error that ends a workflow as failed when `run` throws it.
///
/// Every other error that leaves `run` is taken for a defect of the code: it fails the workflow *task*, which is tried
/// again until the code is repaired, and the workflow goes on from where it was.
public protocol WorkflowFailure: Error {
    /// What led to it, if something did.
    var cause: (any Error)? { get }
}
