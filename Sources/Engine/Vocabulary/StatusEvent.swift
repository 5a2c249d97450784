public import SagamoreAPI
public import SagamoreProtobuf

/// An event for the outside, as a value: the Kafka front turns it into a record. It is stored in the transaction of the
/// transition that caused it.
public struct StatusEvent: Sendable {
    /// What became of a command, or of the run that it started. The raw value is the word in the event's JSON.
    public enum Status: String, Sendable, CaseIterable {
        /// The run was started; or how it ended.
        case accepted, passed, compensated, failed, cancelled, terminated
        /// The run exceeded its own timeout.
        case timedOut = "timed_out"
        /// A command to an existing workflow took effect, or was refused.
        case delivered, rejected
    }

    /// The command that the event answers.
    public let origin: CommandOrigin
    /// What became of it.
    public let status: Status
    /// Counts the events of a command, from 1.
    public let sequence: Int
    /// The workflow id the command named.
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
    /// Details of a cancellation; where a saga was rolled back they hold the array of compensations.
    public var details: RawMessage<Payloads>?
    /// Why the command was refused, as a stable word for programs.
    public var reasonCode: String?
    /// Why the command was refused, as a sentence for people.
    public var reasonMessage: String?

    /// An event without result, failure, or reason; these are set afterwards.
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
