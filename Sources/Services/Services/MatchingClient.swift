public import SagamoreEngine

/// The service where tasks meet pollers, as the other services see it.
public protocol MatchingClient: Sendable {
    /// Takes a task in: gives it to a waiting poller, or keeps it.
    func offer(_ task: MatchingTask)
    /// Waits for a task until `deadline`; then the reply is `.none`.
    @discardableResult
    func pollWorkflowTask(
        _ queue: TaskQueueKey,
        isSticky: Bool,
        poller: PollerIdentity,
        deadline: Instant,
        reply: Reply<PolledWorkflowTask>
    ) -> PollHandle
    /// Waits for a task until `deadline`; then the reply is nil.
    @discardableResult
    func pollActivityTask(
        _ queue: TaskQueueKey,
        poller: PollerIdentity,
        deadline: Instant,
        reply: Reply<AssignedActivityTask?>
    ) -> PollHandle
    /// The poller is gone. One that already has a task keeps it.
    func cancelPoll(_ handle: PollHandle)
    /// A worker says goodbye: its sticky queue gets no further tasks, its waiting polls end.
    func workerShutDown(_ worker: DepartingWorker)
    /// A connection has ended. Sticky queues that were polled on no other one have lost their worker: their tasks go to
    /// everybody, until somebody polls there again.
    func connectionEnded(_ connectionID: UInt64)
}

/// Names a poll that waits.
public struct PollHandle: Hashable, Sendable {
    /// The queue that is polled.
    public let queue: TaskQueueKey
    /// The number of the poll, unique in this process.
    public let id: UInt64

    public init(queue: TaskQueueKey, id: UInt64) {
        self.queue = queue
        self.id = id
    }
}
