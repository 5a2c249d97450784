internal import SagamoreAPI
internal import SagamoreEngine
internal import SagamoreGRPC
internal import SagamoreServices

/// The common part of both kinds of polls.
extension GRPCFront {
    /// A checked poll.
    struct Poll {
        let namespace: NamespaceRecord
        let queue: TaskQueueKey
        let poller: PollerIdentity
        let worker: DepartedWorkers.Worker
        /// When the poll ends: before the client's deadline, so that the answer arrives in time.
        let deadline: Instant
    }

    /// Checks a poll. One of a worker that has shut down is answered at once, and the result is nil.
    ///
    /// - Throws: `invalidArgument`, `notFound` with the namespace's name, `failedPrecondition` for too short a
    ///   deadline.
    func poll(
        _ call: GRPCServerCall,
        namespace name: String,
        queue: TaskQueue?,
        _ kind: TaskQueueKey.Kind,
        identity: String,
        instanceKey: String,
        buildID: String,
        tasksPerSecond: Double? = nil
    ) throws(RequestError) -> Poll? {
        let namespace = try self.namespace(name)
        let worker = DepartedWorkers.Worker(namespace: namespace.number, instanceKey: instanceKey)
        // Before the other checks: SDKs retry a refused poll, and a worker that stops waits until its polls end.
        guard !departed.contains(worker) else {
            call.reply([])
            return nil
        }
        guard let remaining = call.timeRemaining else { throw .invalidArgument("Context timeout is not set.") }
        guard remaining >= Self.shortestPoll else {
            throw RequestError(.failedPrecondition, "Context timeout is too short.")
        }
        try checkTaskQueue(queue, limits)
        let queueName = queue?.name ?? ""
        try check(identity: identity)
        try checkIdentifier(instanceKey, "WorkerInstanceKey", missing: nil, limits)
        try checkIdentifier(buildID, "BuildId", missing: nil, limits)
        let waiting = min(Interval(remaining) - Self.slackOfPolls, Self.longestPoll)
        return Poll(
            namespace: namespace,
            queue: TaskQueueKey(namespace: namespace.number, name: queueName, kind: kind),
            poller: PollerIdentity(
                identity: identity,
                requestID: requestIDs.next(),
                buildID: buildID,
                instanceKey: instanceKey,
                connectionID: call.connectionID,
                tasksPerSecond: tasksPerSecond.flatMap { $0.isNaN ? nil : max($0, 0) }
            ),
            worker: worker,
            deadline: clock() + waiting
        )
    }

    /// Ends a waiting poll when its call is cancelled, or at once when its worker has shut down meanwhile.
    func watch(_ poll: Poll, _ handle: PollHandle, of call: GRPCServerCall) {
        if departed.contains(poll.worker) {
            call.reply([])
            matching.cancelPoll(handle)
            return
        }
        call.onCancel { [matching] in matching.cancelPoll(handle) }
        // The connection may have ended before Matching accepted the poll; then Matching has not noted the connection.
        if call.isConnectionEnded { matching.connectionEnded(call.connectionID) }
    }

    /// Temporal's server refuses shorter polls.
    private static let shortestPoll = Duration.seconds(2)
    /// Temporal default: 1 s.
    private static let slackOfPolls = Interval.seconds(1)
    /// Temporal default: 60 s. SDKs wait 70.
    private static let longestPoll = Interval.seconds(60)
}
