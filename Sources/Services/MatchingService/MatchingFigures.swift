public import SagamoreServices

/// What waits in task queues, in memory.
public struct MatchingFigures: Sendable {
    /// The kind of the queues.
    public let kind: TaskQueueKey.Kind
    /// Polls that wait for a task.
    public internal(set) var polls = 0
    /// Tasks that wait for a poll.
    public internal(set) var tasks = 0

    init(kind: TaskQueueKey.Kind) { self.kind = kind }
}
