internal import SagamoreEngine
internal import SagamoreServices
internal import Synchronization

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
    /// A task is being started for it, and who has it started waits for what comes of that at once.
    private let isStarting = Atomic(false)
    private var refusedWith: RequestError?

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

    /// Has a task started, and returns the error of one that is refused before `start` returns.
    func refusal(of start: () -> Void) -> RequestError? {
        isStarting.store(true, ordering: .relaxed)
        start()
        if isStarting.exchange(false, ordering: .acquiringAndReleasing) { return nil }
        defer { refusedWith = nil }
        return refusedWith
    }

    /// The task that is being started is refused. Returns whether `refusal(of:)` will say so; else it is too late for
    /// that, and the caller has to see to it.
    func leaveRefusal(_ error: RequestError) -> Bool {
        refusedWith = error
        return isStarting.exchange(false, ordering: .acquiringAndReleasing)
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
