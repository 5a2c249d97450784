public import SagamoreAPI
public import SagamoreProtobuf

/// A published event about a command. It is stored in the transaction of the transition that caused it, and the Kafka
/// front turns it into a record.
public struct StatusEvent: Sendable {
    /// The status of a command, or of the run that it started. The raw value is used in the event's JSON.
    public enum Status: String, Sendable, CaseIterable {
        /// The run was started, or its outcome.
        case accepted, passed, compensated, failed, cancelled, terminated
        /// The run exceeded its own timeout.
        case timedOut = "timed_out"
        /// A command to an existing workflow took effect, or was refused.
        case delivered, rejected
    }

    /// The command that the event belongs to.
    public let origin: CommandOrigin
    /// The status.
    public let status: Status
    /// The number of the event within its command, from 1.
    public let sequence: Int
    /// The workflow id that the command named.
    public let workflowID: String
    /// The workflow's type; empty when the command was refused before it was known.
    public let workflowType: String
    /// The run, or nil when there is none.
    public let runID: RunID?
    /// When the transition was decided.
    public let at: Instant
    /// The workflow's result; only for `passed`.
    public var result: RawMessage<Payloads>?
    /// The workflow's failure; only for `failed` and `compensated`.
    public var failure: RawMessage<Failure>?
    /// The details of a cancellation; for a rolled-back saga, the array of compensations.
    public var details: RawMessage<Payloads>?
    /// Why the command was refused, as a stable word for programs.
    public var reasonCode: String?
    /// Why the command was refused, as a sentence for people.
    public var reasonMessage: String?

    /// Creates an event without result, failure or reason, which are set afterwards.
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
