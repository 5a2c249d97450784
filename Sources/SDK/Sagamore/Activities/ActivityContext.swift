internal import SagamoreProtobuf

/// What an activity's code knows of its task, and tells about it.
///
/// An activity that is cancelled, has lost its time or whose worker stops sees that as the cancellation of its task:
/// `Task.isCancelled`, `Task.checkCancellation()`, and everything that ends when a task is cancelled. The news comes with
/// the answer to a heartbeat, so an activity that sends none is not told of a cancellation.
public struct ActivityContext: Sendable {
    /// Which attempt of which activity this is.
    public let info: ActivityInfo
    /// What the last heartbeat of the attempt before told; none for the first attempt.
    public let heartbeatDetails: EncodedValues
    let heartbeats: Heartbeats

    /// Tells the server that the activity is alive. Call it as often as you like: it never waits, and of many calls only
    /// so many are sent that the heartbeat timeout does not pass.
    public func heartbeat() { heartbeats.beat(nil) }

    /// Tells the server that the activity is alive, and how far it is: the next attempt finds that in
    /// ``heartbeatDetails``.
    /// - Throws: ``DataError`` when the details can't be written.
    public func heartbeat<Details: Encodable>(_ details: Details) throws(DataError) {
        heartbeats.beat(try PayloadCoding.list(details))
    }

    /// Writes log lines that carry the activity and its workflow.
    public var logger: ActivityLogger { ActivityLogger(info: info) }
}
