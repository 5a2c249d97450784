public import SagamoreAPI
public import SagamoreEngine

/// The service that matches tasks with polls, as seen by other services.
public protocol MatchingClient: Sendable {
    /// Gives a task to a waiting poll, or queues it.
    func offer(_ task: MatchingTask)
    /// Polls for a task. The reply is `.none` at `deadline`.
    @discardableResult
    func pollWorkflowTask(
        _ queue: TaskQueueKey,
        isSticky: Bool,
        poller: PollerIdentity,
        deadline: Instant,
        reply: Reply<PolledWorkflowTask>
    ) -> PollHandle
    /// Polls for a task. The reply is nil at `deadline`.
    @discardableResult
    func pollActivityTask(
        _ queue: TaskQueueKey,
        poller: PollerIdentity,
        deadline: Instant,
        reply: Reply<AssignedActivityTask?>
    ) -> PollHandle
    /// Ends a poll whose client is gone. A task that it has got already is not taken back.
    func cancelPoll(_ handle: PollHandle)
    /// Ends the polls of a worker that shuts down. Tasks of its sticky queue go to the normal queues from now on.
    func workerShutDown(_ worker: DepartingWorker)
    /// A connection has ended. The sticky queues that were polled on it and on no other open one have lost their
    /// worker: their tasks go to the normal queues until the next poll.
    func connectionEnded(_ connectionID: UInt64)
    /// What is known of a task queue.
    func describe(_ queue: TaskQueueKey) -> TaskQueueDescription
    /// Changes the settings of a task queue, and returns them when they are durable. Blocks.
    ///
    /// - Throws: what `change` throws, and `unavailable`.
    func configure(
        _ queue: TaskQueueKey,
        _ change: (inout TaskQueueConfig) throws(RequestError) -> Void
    ) throws(RequestError) -> TaskQueueConfig
}

/// Identifies a poll.
public struct PollHandle: Hashable, Sendable {
    /// The polled queue.
    public let queue: TaskQueueKey
    /// The number of the poll, unique in this process.
    public let id: UInt64

    public init(queue: TaskQueueKey, id: UInt64) {
        self.queue = queue
        self.id = id
    }
}
