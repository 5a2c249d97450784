internal import SagamoreAPI
internal import SagamoreEngine
internal import SagamoreServices

/// The matching service of one life of a server, as the world reaches it; see `ReachedHistory`.
///
/// Unchecked: the whole world runs in one thread.
final class ReachedMatching: MatchingClient, @unchecked Sendable {
    private let life: ServerLife
    /// The handles of polls that came while the process was paused, by those that their callers have.
    private var delayed: [UInt64: PollHandle] = [:]
    private var lastDelayed = UInt64.max

    init(_ life: ServerLife) { self.life = life }

    func offer(_ task: MatchingTask) {
        life.receive { [life] _ in life.matching.offer(task) }
    }

    func pollWorkflowTask(
        _ queue: TaskQueueKey,
        isSticky: Bool,
        poller: PollerIdentity,
        deadline: Instant,
        reply: Reply<PolledWorkflowTask>
    ) -> PollHandle {
        poll(queue, reply) { matching, reply in
            matching.pollWorkflowTask(queue, isSticky: isSticky, poller: poller, deadline: deadline, reply: reply)
        }
    }

    func pollActivityTask(
        _ queue: TaskQueueKey,
        poller: PollerIdentity,
        deadline: Instant,
        reply: Reply<AssignedActivityTask?>
    ) -> PollHandle {
        poll(queue, reply) { matching, reply in
            matching.pollActivityTask(queue, poller: poller, deadline: deadline, reply: reply)
        }
    }

    private func poll<Success: Sendable>(
        _ queue: TaskQueueKey,
        _ reply: Reply<Success>,
        _ poll: @escaping (any MatchingClient, Reply<Success>) -> PollHandle
    ) -> PollHandle {
        let guarded = life.guarded(reply)
        if !life.isDead, !life.isDelayed { return life.within { poll(life.matching, guarded) } }
        lastDelayed -= 1
        let handle = PollHandle(queue: queue, id: lastDelayed)
        life.receive { [self] _ in delayed[handle.id] = poll(life.matching, guarded) }
        return handle
    }

    func cancelPoll(_ handle: PollHandle) {
        life.receive { [self] _ in
            life.matching.cancelPoll(delayed.removeValue(forKey: handle.id) ?? handle)
        }
    }

    func workerShutDown(_ worker: DepartingWorker) {
        life.receive { [life] _ in life.matching.workerShutDown(worker) }
    }

    func connectionEnded(_ connectionID: UInt64) {
        life.receive { [life] _ in life.matching.connectionEnded(connectionID) }
    }

    func describe(_ queue: TaskQueueKey) -> TaskQueueDescription { life.matching.describe(queue) }

    func configure(
        _ queue: TaskQueueKey,
        _ change: (inout TaskQueueConfig) throws(RequestError) -> Void
    ) throws(RequestError) -> TaskQueueConfig {
        try life.matching.configure(queue, change)
    }
}
