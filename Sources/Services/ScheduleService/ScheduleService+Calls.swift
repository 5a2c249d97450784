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
        let given: Given
        do throws(RequestError) {
            given = try check(
                request.schedule ?? Schedule(),
                id: request.scheduleID,
                request.memo,
                request.searchAttributes,
                namespace
            )
        } catch {
            return reply.fail(error)
        }
        var generator = SystemRandomNumberGenerator()
        let instance = RunID(at: clock(), random: (generator.next(), generator.next()))
        call(
            .create(request, given.definition, given.attributes, instance: instance),
            on: ScheduleName(namespace: namespace.number, id: request.scheduleID),
            answer(reply) { answer in
                var response = CreateScheduleResponse()
                if case .created(let token) = answer { response.conflictToken = token }
                return response
            }
        )
    }

    public func update(_ request: UpdateScheduleRequest, in namespace: NamespaceRecord, reply: Reply<Void>) {
        let given: Given
        do throws(RequestError) {
            guard let schedule = request.schedule, schedule.action?.action != nil else {
                throw .invalidArgument("Only StartWorkflow action is supported for schedules")
            }
            given = try check(
                schedule,
                id: request.scheduleID,
                request.memo,
                request.searchAttributes,
                namespace
            )
        } catch {
            return reply.fail(error)
        }
        call(
            .update(request, given.definition, given.attributes),
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

    /// What a request defines, checked.
    private struct Given {
        let definition: ScheduleDefinition
        /// With their types.
        let attributes: RawMessage<SearchAttributes>?
    }

    private func check(
        _ schedule: Schedule,
        id: String,
        _ memo: RawMessage<Memo>?,
        _ attributes: RawMessage<SearchAttributes>?,
        _ namespace: NamespaceRecord
    ) throws(RequestError) -> Given {
        let (limits, catalog) = (limits.current, namespace.searchAttributes)
        let definition = try ScheduleDefinition(schedule, id: id, attributes: catalog, limits: limits)
        try checkMemo(memo, limits)
        try checkSearchAttributes(attributes, catalog, limits)
        return Given(definition: definition, attributes: attributes.map { catalog.typed($0) })
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
