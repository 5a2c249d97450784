internal import SagamoreAPI
internal import SagamoreEngine
internal import SagamoreGRPCServer
internal import SagamoreServices

/// What both kinds of polls have in common.
extension GRPCFront {
    /// A poll that was checked.
    struct Poll {
        let namespace: NamespaceRecord
        let queue: TaskQueueKey
        let poller: PollerIdentity
        let worker: DepartedWorkers.Worker
        /// Until when the poll waits: short of the client's own deadline, so that the answer still reaches it.
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
        buildID: String
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
                connectionID: call.connectionID
            ),
            worker: worker,
            deadline: clock() + waiting
        )
    }

    /// Ends a poll that waits: when its client goes, or at once when its worker has said goodbye already.
    func watch(_ poll: Poll, _ handle: PollHandle, of call: GRPCServerCall) {
        if departed.contains(poll.worker) {
            call.reply([])
            matching.cancelPoll(handle)
            return
        }
        call.onCancel { [matching] in matching.cancelPoll(handle) }
        // The connection may have ended before Matching took the poll in, and Matching been told of it before.
        if call.isConnectionEnded { matching.connectionEnded(call.connectionID) }
    }

    /// Temporal's server turns away polls that wait less.
    private static let shortestPoll = Duration.seconds(2)
    /// Temporal default: 1 s.
    private static let slackOfPolls = Interval.seconds(1)
    /// Temporal default: 60 s. SDKs wait 70.
    private static let longestPoll = Interval.seconds(60)
}
