import SagamoreAPI
import SagamoreEngine
import SagamoreServices

extension EngineService: MatchingClient {
    func offer(_ task: MatchingTask) {
        queues[task.queue, default: EngineQueue()].tasks.append(task)
        later { [self] in match(task.queue) }
    }

    func pollWorkflowTask(
        _ queue: TaskQueueKey,
        isSticky: Bool,
        poller: PollerIdentity,
        deadline: Instant,
        reply: Reply<PolledWorkflowTask>
    ) -> PollHandle {
        lastPoll += 1
        return poll(queue, EnginePoll(lastPoll, poller, workflow: reply), deadline)
    }

    func pollActivityTask(
        _ queue: TaskQueueKey,
        poller: PollerIdentity,
        deadline: Instant,
        reply: Reply<AssignedActivityTask?>
    ) -> PollHandle {
        lastPoll += 1
        return poll(queue, EnginePoll(lastPoll, poller, activity: reply), deadline)
    }

    private func poll(_ queue: TaskQueueKey, _ poll: EnginePoll, _ deadline: Instant) -> PollHandle {
        let handle = PollHandle(queue: queue, id: poll.id)
        queues[queue, default: EngineQueue()].polls.append(poll)
        later { [self] in match(queue) }
        scheduler.schedule("end a poll", of: process, after: deadline - now) { [self] in cancelPoll(handle) }
        return handle
    }

    func cancelPoll(_ handle: PollHandle) {
        guard let index = queues[handle.queue]?.polls.firstIndex(where: { $0.id == handle.id }) else { return }
        end(queues[handle.queue]!.polls.remove(at: index))
    }

    private func end(_ poll: EnginePoll) {
        poll.workflow?.succeed(.none)
        poll.activity?.succeed(nil)
    }

    func workerShutDown(_ worker: DepartingWorker) { endPolls { worker.isPoller($0.poller) } }

    func describe(_ queue: TaskQueueKey) -> TaskQueueDescription { TaskQueueDescription(at: now) }

    func configure(
        _ queue: TaskQueueKey,
        _ change: (inout TaskQueueConfig) throws(RequestError) -> Void
    ) throws(RequestError) -> TaskQueueConfig {
        throw RequestError(.unimplemented, "this service has no settings")
    }

    func connectionEnded(_ connectionID: UInt64) { endPolls { $0.poller.connectionID == connectionID } }

    private func endPolls(where isMeant: (EnginePoll) -> Bool) {
        for key in queues.keys.sorted(by: { $0.storedName < $1.storedName }) {
            let polls = queues[key]!.polls.filter(isMeant)
            queues[key]!.polls.removeAll(where: isMeant)
            polls.forEach(end)
        }
    }

    private func match(_ key: TaskQueueKey) {
        while var queue = queues[key], !queue.tasks.isEmpty, !queue.polls.isEmpty {
            let task = queue.tasks.removeFirst()
            let poll = queue.polls.removeFirst()
            queues[key] = queue
            start(task, poll)
        }
    }

    private func start(_ task: MatchingTask, _ poll: EnginePoll) {
        if let reply = poll.workflow {
            startWorkflowTask(
                task,
                for: poll.poller,
                reply: Reply { [self] outcome in
                    switch outcome {
                    case .success(let polled): reply.succeed(polled)
                    case .failure: matchAgain(task.queue, poll)
                    }
                }
            )
        } else if let reply = poll.activity {
            startActivityTask(
                task,
                for: poll.poller,
                reply: Reply { [self] outcome in
                    switch outcome {
                    case .success(let assigned): reply.succeed(assigned)
                    case .failure: matchAgain(task.queue, poll)
                    }
                }
            )
        }
    }

    /// The task was not due any more.
    private func matchAgain(_ queue: TaskQueueKey, _ poll: EnginePoll) {
        scheduler.schedule("match again", of: process) { [self] in
            queues[queue, default: EngineQueue()].polls.insert(poll, at: 0)
            match(queue)
        }
    }
}
