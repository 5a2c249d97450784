import Foundation
import SagamoreAPI
import SagamoreEngine
import SagamoreEngineTestSupport
import SagamoreProtobuf
import SagamoreServices
import Testing

/// Requests of clients, and commands from topics.
extension Node {
    func reference(_ workflowID: String, _ runID: RunID? = nil) -> WorkflowReference {
        WorkflowReference(key: Node.key(workflowID), runID: runID)
    }

    func startRequest(
        _ workflowID: String,
        requestID: String = "",
        queue: String = "travel",
        origin: CommandOrigin? = nil,
        lineage: Lineage = Lineage(),
        limits: Limits = Limits(),
        _ adjust: (inout StartWorkflowExecutionRequest) -> Void = { _ in }
    ) throws -> StartRequest {
        try Samples.start(requestID: requestID, origin: origin, lineage: lineage, limits: limits) { request in
            request.workflowID = workflowID
            request.taskQueue = Samples.queue(queue)
            adjust(&request)
        }
    }

    func start(
        _ workflowID: String,
        requestID: String = "",
        queue: String = "travel",
        lineage: Lineage = Lineage(),
        _ adjust: (inout StartWorkflowExecutionRequest) -> Void = { _ in }
    ) throws -> Call<StartedRun> {
        start(try startRequest(workflowID, requestID: requestID, queue: queue, lineage: lineage, adjust))
    }

    func start(_ request: StartRequest) -> Call<StartedRun> {
        Call { history.start(request, namespace: 1, reply: $0) }
    }

    func signal(_ workflowID: String, _ name: String, requestID: String = "") throws -> Call<RunID> {
        let request = try Samples.signal(name, requestID: requestID)
        return Call { history.signal(reference(workflowID), request, reply: $0) }
    }

    func cancel(_ workflowID: String) -> Call<Void> {
        let request = CancelRequest(reason: "no more", identity: "client", requestID: "")
        return Call { history.cancel(reference(workflowID), request, reply: $0) }
    }

    func terminate(_ workflowID: String) -> Call<Void> {
        let request = TerminateRequest(reason: "enough", identity: "client")
        return Call { history.terminate(reference(workflowID), request, reply: $0) }
    }

    func reset(
        _ workflowID: String,
        _ runID: RunID? = nil,
        at eventID: Int64,
        requestID: String = "reset",
        _ adjust: (inout ResetWorkflowExecutionRequest) -> Void = { _ in }
    ) throws -> Call<RunID> {
        let request = try Samples.reset(at: eventID, requestID: requestID, adjust)
        return Call { history.reset(reference(workflowID, runID), request, reply: $0) }
    }

    func delete(_ workflowID: String, _ runID: RunID? = nil) -> Call<Void> {
        Call { history.delete(reference(workflowID, runID), reply: $0) }
    }

    /// An operator's action on activities of the workflow `one`.
    func operate(_ operation: ActivityOperation, on activities: ActivitySelection) -> Call<ActivityOptions?> {
        Call { history.operate(operation, on: activities, of: reference("one"), identity: "operator", reply: $0) }
    }

    func describe(_ workflowID: String, _ runID: RunID? = nil) -> Call<DescribeWorkflowExecutionResponse> {
        Call { history.describe(reference(workflowID, runID), reply: $0) }
    }

    func status(_ workflowID: String, _ runID: RunID? = nil) throws -> WorkflowExecutionStatus {
        try #require(try describe(workflowID, runID).get().workflowExecutionInfo).status
    }

    func query(
        _ workflowID: String,
        _ type: String = "status",
        rejecting: QueryRejectCondition = .none,
        deadline: Instant = .distantFuture
    ) -> Call<QueryOutcome> {
        var query = WorkflowQuery()
        query.queryType = type
        return Call {
            history.query(reference(workflowID), query, rejecting: rejecting, deadline: deadline, reply: $0)
        }
    }

    func page(
        _ workflowID: String,
        _ runID: RunID? = nil,
        token: [UInt8] = [],
        size: Int = 0,
        waits: Bool = false,
        onlyClose: Bool = false,
        reversed: Bool = false
    ) -> Call<HistoryPage> {
        let read = HistoryRead(
            pageToken: token,
            pageSize: size,
            waitsForNews: waits,
            onlyCloseEvent: onlyClose,
            deadline: .distantFuture,
            isReversed: reversed
        )
        return Call { history.readHistory(reference(workflowID, runID), read, reply: $0) }
    }

    /// The whole history, page by page.
    func events(_ workflowID: String, _ runID: RunID? = nil, pageSize: Int = 0) throws -> [HistoryEvent] {
        var events: [HistoryEvent] = []
        var token: [UInt8] = []
        repeat {
            let page = try page(workflowID, runID, token: token, size: pageSize).get()
            events += try decoded(page.frames)
            token = page.nextPageToken
        } while !token.isEmpty
        return events
    }

    /// The whole history as short text: `1 WorkflowExecutionStarted`.
    func outline(_ workflowID: String, _ runID: RunID? = nil) throws -> [String] {
        try events(workflowID, runID).map { "\($0.eventID) \($0.eventType.shortName)" }
    }

    /// The names of the signals in the history.
    func signals(_ workflowID: String) throws -> [String] {
        try events(workflowID).compactMap { event in
            guard case .workflowExecutionSignaledEventAttributes(let attributes) = event.attributes else { return nil }
            return attributes.signalName
        }
    }

    // MARK: Commands of a topic

    func command(
        _ workflowID: String,
        _ commandID: String,
        offset: Int64,
        _ action: IncomingCommand.Action
    ) -> IncomingCommand {
        IncomingCommand(
            key: Node.key(workflowID),
            workflowType: "TravelBooking",
            origin: Samples.origin(commandID),
            source: RecordCoordinates(cluster: "cluster", topic: "saga.commands", partition: 0, offset: offset),
            action: action
        )
    }

    func submit(_ command: IncomingCommand) -> Call<CommandOutcome> {
        Call { history.submit(command, reply: $0) }
    }

    /// A start whose request id is the command id.
    func startCommand(_ workflowID: String, _ commandID: String, offset: Int64) throws -> IncomingCommand {
        let origin = Samples.origin(commandID)
        let request = try startRequest(workflowID, requestID: commandID, origin: origin)
        return command(workflowID, commandID, offset: offset, .start(request))
    }

    func signalCommand(_ workflowID: String, _ commandID: String, offset: Int64) throws -> IncomingCommand {
        let request = try Samples.signal(commandID, requestID: commandID, origin: Samples.origin(commandID))
        return command(workflowID, commandID, offset: offset, .signal(request, runID: nil))
    }
}

func decoded(_ frames: [UInt8]) throws -> [HistoryEvent] {
    try HistoryFrames.decode(frames).map(\.event)
}

/// The ids of events.
func ids(_ frames: [UInt8]) throws -> [Int64] { try decoded(frames).map(\.eventID) }
