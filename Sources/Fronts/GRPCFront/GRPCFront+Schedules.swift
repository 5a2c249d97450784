internal import SagamoreAPI
internal import SagamoreEngine
internal import SagamoreGRPC
internal import SagamoreProtobuf
internal import SagamoreServices

/// Schedules.
extension GRPCFront {
    func registerSchedules(on server: GRPCServer) {
        register(.createSchedule, on: server, .hot) {
            [self] (call, request: CreateScheduleRequest) throws(RequestError) in
            let namespace = try namespace(request.namespace)
            try checkScheduleID(request.scheduleID)
            try checkIdentifier(request.requestID, "RequestId", missing: "RequestId is not set on request.", limits)
            schedules.create(request, in: namespace, reply: reply(to: call) { $0.serializedBytes() })
        }
        register(.updateSchedule, on: server, .hot) {
            [self] (call, request: UpdateScheduleRequest) throws(RequestError) in
            let namespace = try namespace(request.namespace)
            try checkScheduleID(request.scheduleID)
            try checkIdentifier(request.requestID, "RequestId", missing: nil, limits)
            schedules.update(request, in: namespace, reply: emptyReply(to: call))
        }
        register(.patchSchedule, on: server, .hot) {
            [self] (call, request: PatchScheduleRequest) throws(RequestError) in
            let namespace = try namespace(request.namespace)
            try checkScheduleID(request.scheduleID)
            try checkIdentifier(request.requestID, "RequestId", missing: nil, limits)
            guard let patch = request.patch else { throw .invalidArgument("Patch is not set on request.") }
            for notes in [patch.pause, patch.unpause] where notes.utf8.count > Self.longestNotes {
                throw .invalidArgument("Schedule notes exceeds limit.")
            }
            schedules.patch(request, in: namespace, reply: emptyReply(to: call))
        }
        register(.deleteSchedule, on: server, .hot) {
            [self] (call, request: DeleteScheduleRequest) throws(RequestError) in
            let namespace = try namespace(request.namespace)
            try checkScheduleID(request.scheduleID)
            schedules.delete(request.scheduleID, in: namespace, reply: emptyReply(to: call))
        }
        registerScheduleReads(on: server)
    }

    /// As in Temporal's server.
    private static let longestNotes = 1_000

    private func registerScheduleReads(on server: GRPCServer) {
        register(.describeSchedule, on: server, .hot) {
            [self] (call, request: DescribeScheduleRequest) throws(RequestError) in
            let namespace = try namespace(request.namespace)
            try checkScheduleID(request.scheduleID)
            schedules.describe(request.scheduleID, in: namespace, reply: reply(to: call) { $0.serializedBytes() })
        }
        register(.listScheduleMatchingTimes, on: server, .hot) {
            [self] (call, request: ListScheduleMatchingTimesRequest) throws(RequestError) in
            let namespace = try namespace(request.namespace)
            try checkScheduleID(request.scheduleID)
            guard let start = request.startTime, let end = request.endTime else {
                throw RequestError(.invalidArgument, "missing or invalid query", detail: .queryFailed(nil))
            }
            schedules.matchingTimes(
                request.scheduleID,
                from: Instant(start),
                to: Instant(end),
                in: namespace,
                reply: reply(to: call) { times in
                    var response = ListScheduleMatchingTimesResponse()
                    response.startTime = times.map(\.timestamp)
                    return response.serializedBytes()
                }
            )
        }
        register(.listSchedules, on: server, .hot) {
            [self] (call, request: ListSchedulesRequest) throws(RequestError) in
            let list = try list(
                request.namespace,
                request.query,
                request.maximumPageSize,
                request.nextPageToken
            )
            schedules.list(list, reply: reply(to: call) { $0.serializedBytes() })
        }
        register(.countSchedules, on: server, .hot) {
            [self] (call, request: CountSchedulesRequest) throws(RequestError) in
            schedules.count(
                request.query,
                in: try namespace(request.namespace),
                reply: reply(to: call) { count in
                    var response = CountSchedulesResponse()
                    response.count = count
                    return response.serializedBytes()
                }
            )
        }
    }

    /// - Throws: `invalidArgument` in the words of Temporal's server, whose schedules are workflows.
    private func checkScheduleID(_ id: String) throws(RequestError) {
        let length = "temporal-sys-scheduler:".utf8.count + id.utf8.count
        try checkIdentifier(
            id,
            "ScheduleId",
            missing: "Can't load workflow execution.  WorkflowId not set.",
            limits
        )
        guard length <= limits.identifierLength else {
            throw .invalidArgument("WorkflowId exceeds maximum allowed length (\(length)/\(limits.identifierLength))")
        }
    }
}
