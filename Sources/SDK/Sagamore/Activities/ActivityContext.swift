internal import SagamoreAPI
internal import SagamoreProtobuf

/// The task that an activity's code works on, and the means to report on it.
///
/// When an activity is cancelled or timed out, or its worker stops, its Swift task is cancelled: see `Task.isCancelled`
/// and `Task.checkCancellation()`. Cancellations and timeouts are reported in heartbeat responses, so an activity that
/// sends no heartbeats does not learn of them.
public struct ActivityContext: Sendable {
    /// The attempt, its activity, and its workflow.
    public let info: ActivityInfo
    /// The details of the previous attempt's last heartbeat; empty for the first attempt.
    public let heartbeatDetails: EncodedValues
    let beat: @Sendable (RawMessage<Payloads>?) -> Void

    /// Tells the server that the activity is alive. Call it as often as you like: it never blocks, and calls are
    /// throttled to what the heartbeat timeout requires.
    public func heartbeat() { beat(nil) }

    /// Tells the server that the activity is alive, and its progress, which the next attempt reads from
    /// ``heartbeatDetails``.
    /// - Throws: ``DataError`` when the details cannot be encoded.
    public func heartbeat<Details: Encodable>(_ details: Details) throws(DataError) {
        beat(try PayloadCoding.list(details))
    }

    /// A logger whose lines carry the activity and its workflow.
    public var logger: ContextLogger { ContextLogger(info) }
}
