public import SagamoreAPI
public import SagamoreProtobuf

/// An event for the outside, as a value: the Kafka front turns it into a record. It is stored in the transaction of the
/// transition that caused it.
public struct StatusEvent: Sendable {
    public enum Status: String, Sendable, CaseIterable {
        case accepted, passed, compensated, failed, cancelled, terminated
        case timedOut = "timed_out"
        case delivered, rejected
    }

    public let origin: CommandOrigin
    public let status: Status
    /// Counts the events of a command, from 1.
    public let sequence: Int
    public let workflowID: String
    public let workflowType: String
    public let runID: RunID?
    public let at: Instant
    public var result: RawMessage<Payloads>?
    public var failure: RawMessage<Failure>?
    /// Details of a cancellation; where a saga was rolled back they hold the array of compensations.
    public var details: RawMessage<Payloads>?
    public var reasonCode: String?
    public var reasonMessage: String?

    public init(
        origin: CommandOrigin,
        status: Status,
        sequence: Int,
        workflowID: String,
        workflowType: String,
        runID: RunID?,
        at: Instant
    ) {
        self.origin = origin
        self.status = status
        self.sequence = sequence
        self.workflowID = workflowID
        self.workflowType = workflowType
        self.runID = runID
        self.at = at
    }
}
