internal import SagamoreEngine
internal import SagamoreServices

/// A poll that waits for a task, or is being given one.
final class Poll: @unchecked Sendable {
    enum Answer: Sendable {
        case workflow(Reply<PolledWorkflowTask>)
        case activity(Reply<AssignedActivityTask?>)
    }

    let poller: PollerIdentity
    let deadline: Instant
    let answer: Answer
    /// Set once, under the service's lock, before anybody else sees the poll.
    var handle: PollHandle?
    /// The client is gone, or the time is up. Read and set under the service's lock.
    var isOver = false

    init(poller: PollerIdentity, deadline: Instant, answer: Answer) {
        self.poller = poller
        self.deadline = deadline
        self.answer = answer
    }

    /// Nothing came in time.
    func end() {
        switch answer {
        case .workflow(let reply): reply.succeed(.none)
        case .activity(let reply): reply.succeed(nil)
        }
    }

    func fail(_ error: RequestError) {
        switch answer {
        case .workflow(let reply): reply.fail(error)
        case .activity(let reply): reply.fail(error)
        }
    }
}

/// What a task queue asks its shell to do.
enum MatchAction {
    case match(MatchingTask, Poll)
    case end(Poll)
    /// No worker polls this sticky queue: the task has to go elsewhere.
    case abandon(MatchingTask)
    /// The queue is full: the task's run waits in the database.
    case pageOut(MatchingTask)
    /// There is room for so many of those that wait in the database.
    case pageIn(limit: Int)
}
