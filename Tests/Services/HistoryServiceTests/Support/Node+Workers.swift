import Foundation
import SagamoreAPI
import SagamoreEngine
import SagamoreEngineTestSupport
import SagamoreProtobuf
import SagamoreServices
import Testing

/// Calls of workers.
extension Node {
    func poller(_ identity: String = "worker") -> PollerIdentity {
        PollerIdentity(identity: identity, requestID: UUID().uuidString, buildID: "")
    }

    func workflowQueue(_ name: String) -> TaskQueueKey { TaskQueueKey(namespace: 1, name: name, kind: .workflow) }
    func activityQueue(_ name: String) -> TaskQueueKey { TaskQueueKey(namespace: 1, name: name, kind: .activity) }

    func pollWorkflowTask(
        _ queue: String = "travel",
        sticky: Bool = false,
        deadline: Instant = .distantFuture
    ) -> Call<PolledWorkflowTask> {
        Call {
            matching.pollWorkflowTask(
                workflowQueue(queue),
                isSticky: sticky,
                poller: poller(),
                deadline: deadline,
                reply: $0
            )
        }
    }

    /// Polls until there is a workflow task.
    func workflowTask(
        _ queue: String = "travel",
        sticky: Bool = false,
        _ location: SourceLocation = #_sourceLocation
    ) throws -> AssignedWorkflowTask {
        let polled = try pollWorkflowTask(queue, sticky: sticky).get(location)
        guard case .task(let task) = polled else {
            return try #require(
                nil as AssignedWorkflowTask?,
                "a task was expected, not \(polled)",
                sourceLocation: location
            )
        }
        return task
    }

    /// A workflow task, if there is one now. Otherwise the poll is cancelled after a moment.
    func workflowTaskIfDue(_ queue: String = "travel", sticky: Bool = false) throws -> AssignedWorkflowTask? {
        var handle: PollHandle?
        let call = Call<PolledWorkflowTask> {
            handle = matching.pollWorkflowTask(
                workflowQueue(queue),
                isSticky: sticky,
                poller: poller(),
                deadline: .distantFuture,
                reply: $0
            )
        }
        takeBack(handle, unless: { call.isAnswered })
        guard case .task(let task) = try call.get() else { return nil }
        return task
    }

    /// An activity task, if there is one now.
    func activityTaskIfDue(_ queue: String = "travel") throws -> AssignedActivityTask? {
        var handle: PollHandle?
        let call = Call<AssignedActivityTask?> {
            handle = matching.pollActivityTask(
                activityQueue(queue),
                poller: poller(),
                deadline: .distantFuture,
                reply: $0
            )
        }
        takeBack(handle, unless: { call.isAnswered })
        return try call.get()
    }

    private func takeBack(_ handle: PollHandle?, unless isAnswered: () -> Bool) {
        for _ in 0..<20 where !isAnswered() { usleep(500) }
        if let handle, !isAnswered() { matching.cancelPoll(handle) }
    }

    /// Polls until there is a query.
    func queryTask(
        _ queue: String = "travel",
        sticky: Bool = false,
        _ location: SourceLocation = #_sourceLocation
    ) throws -> AssignedQuery {
        let polled = try pollWorkflowTask(queue, sticky: sticky).get(location)
        guard case .query(let query) = polled else {
            return try #require(nil as AssignedQuery?, "a query was expected, not \(polled)", sourceLocation: location)
        }
        return query
    }

    func complete(
        _ task: AssignedWorkflowTask,
        sticky: String = "",
        _ commands: [Command] = [],
        _ adjust: (inout RespondWorkflowTaskCompletedRequest) -> Void = { _ in }
    ) throws -> Call<CompletedWorkflowTask> {
        var request = RespondWorkflowTaskCompletedRequest()
        request.identity = "worker"
        request.commands = commands
        if !sticky.isEmpty {
            var attributes = StickyExecutionAttributes()
            attributes.workerTaskQueue = Samples.queue(sticky)
            attributes.scheduleToStartTimeout = Interval.seconds(10).duration
            request.stickyAttributes = attributes
        }
        adjust(&request)
        let token = try workflowToken(task)
        let answer = request
        return Call { history.completeWorkflowTask(token, answer, reply: $0) }
    }

    func fail(_ task: AssignedWorkflowTask) throws -> Call<Void> {
        let token = try workflowToken(task)
        return Call {
            history.failWorkflowTask(
                token,
                cause: .workflowWorkerUnhandledFailure,
                failure: Samples.failure("defect"),
                identity: "worker",
                reply: $0
            )
        }
    }

    func workflowToken(_ task: AssignedWorkflowTask) throws -> WorkflowTaskToken {
        guard case .workflow(let token) = try TaskToken(task.token) else {
            return try #require(nil as WorkflowTaskToken?, "no token of a workflow task")
        }
        return token
    }

    /// A worker takes the next workflow task and answers with commands.
    @discardableResult
    func work(_ commands: Command..., queue: String = "travel", sticky: String = "") throws -> AssignedWorkflowTask {
        let task = try workflowTask(queue)
        try complete(task, sticky: sticky, commands).get()
        return task
    }

    func pollActivity(_ queue: String = "travel") -> Call<AssignedActivityTask?> {
        Call {
            matching.pollActivityTask(activityQueue(queue), poller: poller(), deadline: .distantFuture, reply: $0)
        }
    }

    func activityTask(
        _ queue: String = "travel",
        _ location: SourceLocation = #_sourceLocation
    ) throws -> AssignedActivityTask {
        try #require(try pollActivity(queue).get(location), "no activity came", sourceLocation: location)
    }

    func activityToken(_ task: AssignedActivityTask) throws -> ActivityTaskToken {
        guard case .activity(let token) = try TaskToken(task.token) else {
            return try #require(nil as ActivityTaskToken?, "no token of an activity")
        }
        return token
    }

    func complete(_ task: AssignedActivityTask, result: String = "booked") throws -> Call<Void> {
        let token = try activityToken(task)
        let result = Samples.payloads(result)
        return Call { history.completeActivity(token, result: result, identity: "worker", reply: $0) }
    }

    func fail(_ task: AssignedActivityTask) throws -> Call<Void> {
        let token = try activityToken(task)
        let failure = Samples.failure("no car")
        return Call {
            history.failActivity(token, failure: failure, lastHeartbeat: nil, identity: "worker", reply: $0)
        }
    }

    func answer(_ query: AssignedQuery, _ text: String) throws -> Call<Void> {
        guard case .query(let token) = try TaskToken(query.token) else {
            return try #require(nil as Call<Void>?, "no token of a query")
        }
        return Call { history.answerQuery(token, .answered(Samples.payloads(text)), reply: $0) }
    }
}

/// The text of a query's answer.
func text(_ outcome: QueryOutcome) -> String? {
    guard case .answered(let payloads) = outcome else { return nil }
    return text(payloads)
}

/// The text that `Samples.payloads` was made from.
func text(_ payloads: RawMessage<Payloads>?) -> String? {
    Samples.text(payloads)?.trimmingCharacters(in: ["\""])
}
