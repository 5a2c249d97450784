/// A saga failed or was aborted, and every step that was tried has been undone.
///
/// On the wire it is an application failure of type `SagaCompensated` whose first detail is ``compensations``.
public struct SagaCompensatedError: WorkflowFailure, CustomStringConvertible {
    static let type = "SagaCompensated"

    /// Why the saga was rolled back.
    public let reason: String
    /// What was undone, in execution order.
    public let compensations: [SagaCompensation]
    /// The failure of the step, if one failed.
    public let cause: (any Error)?

    /// The reason.
    public var description: String { "the saga was rolled back: \(reason)" }
}

/// A saga failed, was aborted or cancelled, and not every step could be undone. The other undos have run.
///
/// On the wire it is an application failure of type `SagaCompensationFailed` whose first detail is ``compensations``.
public struct SagaCompensationFailedError: WorkflowFailure, CustomStringConvertible {
    static let type = "SagaCompensationFailed"

    /// Why the saga was rolled back.
    public let reason: String
    /// What was undone and what could not be, in execution order.
    public let compensations: [SagaCompensation]
    /// The failure of the step, if one failed.
    public let cause: (any Error)?

    /// The reason, and that the rollback is incomplete.
    public var description: String { reason + Self.remark }

    private static let remark = "; not everything could be undone"

    /// The reason in a description.
    static func reason(_ description: String) -> String {
        description.hasSuffix(remark) ? String(description.dropLast(remark.count)) : description
    }
}
