internal import SagamoreEngine
internal import SagamoreServices
internal import SagamoreThreads

/// A poll that waits for a task, or for which a task is being started.
final class Poll: Sendable {
    enum Answer: Sendable {
        case workflow(Reply<PolledWorkflowTask>)
        case activity(Reply<AssignedActivityTask?>)
    }

    /// How far the start of a task for this poll is.
    private enum Start {
        case none
        /// `refusal(of:)` is running, and returns what is refused meanwhile.
        case running
        case refused(RequestError)
    }

    let handle: PollHandle
    let poller: PollerIdentity
    /// When it came.
    let since: Instant
    let deadline: Instant
    let answer: Answer
    private let progress = Locked(Start.none)

    init(handle: PollHandle, poller: PollerIdentity, since: Instant, deadline: Instant, answer: Answer) {
        self.handle = handle
        self.poller = poller
        self.since = since
        self.deadline = deadline
        self.answer = answer
    }

    /// Answers without a task.
    func end() {
        switch answer {
        case .workflow(let reply): reply.succeed(.none)
        case .activity(let reply): reply.succeed(nil)
        }
    }

    /// Starts a task by `start`, and returns the error of one that is refused before `start` returns.
    func refusal(of start: () -> Void) -> RequestError? {
        progress.withLock { $0 = .running }
        start()
        return progress.withLock { progress in
            defer { progress = .none }
            guard case .refused(let error) = progress else { return nil }
            return error
        }
    }

    /// Notes that the task was refused. Returns whether `refusal(of:)` will return the error; otherwise it has returned
    /// already, and the caller handles the error.
    func leaveRefusal(_ error: RequestError) -> Bool {
        progress.withLock { progress in
            guard case .running = progress else { return false }
            progress = .refused(error)
            return true
        }
    }
}
