public import SagamoreAPI
public import SagamoreEngine
internal import SagamoreProtobuf
internal import SagamoreScheduling
public import SagamoreServices

/// The calls of clients.
extension ScheduleService: ScheduleClient {
    public func create(
        _ request: CreateScheduleRequest,
        in namespace: NamespaceRecord,
        reply: Reply<CreateScheduleResponse>
    ) {
        let limits = limits.current
        let definition: ScheduleDefinition
        let attributes: RawMessage<SearchAttributes>?
        do throws(RequestError) {
            definition = try ScheduleDefinition(
                request.schedule ?? Schedule(),
                id: request.scheduleID,
                attributes: namespace.searchAttributes,
                limits: limits
            )
            try checkMemo(request.memo, limits)
            attributes = try typed(request.searchAttributes, namespace, limits)
        } catch {
            return reply.fail(error)
        }
        var generator = SystemRandomNumberGenerator()
        let instance = RunID(at: clock(), random: (generator.next(), generator.next()))
        call(
            .create(request, definition, attributes, instance: instance),
            on: ScheduleName(namespace: namespace.number, id: request.scheduleID),
            answer(reply) { answer in
                var response = CreateScheduleResponse()
                if case .created(let token) = answer { response.conflictToken = token }
                return response
            }
        )
    }

    public func update(_ request: UpdateScheduleRequest, in namespace: NamespaceRecord, reply: Reply<Void>) {
        let limits = limits.current
        let definition: ScheduleDefinition
        let attributes: RawMessage<SearchAttributes>?
        do throws(RequestError) {
            guard let schedule = request.schedule, schedule.action?.action != nil else {
                throw .invalidArgument("Only StartWorkflow action is supported for schedules")
            }
            definition = try ScheduleDefinition(
                schedule,
                id: request.scheduleID,
                attributes: namespace.searchAttributes,
                limits: limits
            )
            try checkMemo(request.memo, limits)
            attributes = try typed(request.searchAttributes, namespace, limits)
        } catch {
            return reply.fail(error)
        }
        call(
            .update(request, definition, attributes),
            on: ScheduleName(namespace: namespace.number, id: request.scheduleID),
            answer(reply) { _ in }
        )
    }

    public func patch(_ request: PatchScheduleRequest, in namespace: NamespaceRecord, reply: Reply<Void>) {
        call(
            .patch(request.patch ?? SchedulePatch(), requestID: request.requestID),
            on: ScheduleName(namespace: namespace.number, id: request.scheduleID),
            answer(reply) { _ in }
        )
    }

    public func delete(_ scheduleID: String, in namespace: NamespaceRecord, reply: Reply<Void>) {
        call(.delete, on: ScheduleName(namespace: namespace.number, id: scheduleID), answer(reply) { _ in })
    }

    public func describe(
        _ scheduleID: String,
        in namespace: NamespaceRecord,
        reply: Reply<DescribeScheduleResponse>
    ) {
        call(
            .describe,
            on: ScheduleName(namespace: namespace.number, id: scheduleID),
            answer(reply) { answer in
                if case .description(let response) = answer { response } else { DescribeScheduleResponse() }
            }
        )
    }

    public func matchingTimes(
        _ scheduleID: String,
        from: Instant,
        to: Instant,
        in namespace: NamespaceRecord,
        reply: Reply<[Instant]>
    ) {
        call(
            .matchingTimes(from: from, to: to),
            on: ScheduleName(namespace: namespace.number, id: scheduleID),
            answer(reply) { if case .times(let times) = $0 { times } else { [] } }
        )
    }

    private func answer<Success>(
        _ reply: Reply<Success>,
        _ value: @escaping @Sendable (ScheduleAnswer) -> Success
    ) -> Reply<ScheduleAnswer> {
        Reply { outcome in reply.answer(outcome.map(value)) }
    }

    private func typed(
        _ given: RawMessage<SearchAttributes>?,
        _ namespace: NamespaceRecord,
        _ limits: Limits
    ) throws(RequestError) -> RawMessage<SearchAttributes>? {
        guard let given else { return nil }
        try checkSearchAttributes(given, namespace.searchAttributes, limits)
        return namespace.searchAttributes.typed(given)
    }

    // MARK: Lists

    public func list(_ request: ListRequest, reply: Reply<ListSchedulesResponse>) {
        let (now, zones) = (clock(), limits.current.timeZones)
        let namespace = request.namespace.number
        visibility.listSchedules(
            request,
            reply: Reply { outcome in
                reply.answer(
                    outcome.map { page in
                        var response = ListSchedulesResponse()
                        response.schedules = page.schedules.compactMap { listed in
                            guard let record = ScheduleRecord(listed, namespace: namespace) else { return nil }
                            return record.listEntry(try? record.times(zones), at: now)
                        }
                        response.nextPageToken = page.token
                        return response
                    }
                )
            }
        )
    }

    public func count(_ query: String, in namespace: NamespaceRecord, reply: Reply<Int64>) {
        visibility.countSchedules(query, in: namespace, reply: reply)
    }
}

extension ScheduleRecord {
    /// - Returns: nil for what this program cannot read.
    fileprivate init?(_ listed: ListedSchedule, namespace: Int32) {
        guard let definition = try? Schedule(serializedBytes: listed.definition),
            let progress = try? ScheduleProgress(bytes: listed.progress)
        else { return nil }
        self.init(
            namespace: namespace,
            id: listed.id,
            instance: listed.instance,
            definition: definition,
            memo: listed.memo.map { RawMessage(uncheckedBytes: $0) },
            searchAttributes: listed.searchAttributes.map { RawMessage(uncheckedBytes: $0) },
            progress: progress
        )
    }
}
