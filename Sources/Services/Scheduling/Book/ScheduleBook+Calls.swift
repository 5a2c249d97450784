internal import SagamoreAPI
public import SagamoreEngine
internal import SagamoreProtobuf

/// What callers ask for.
extension ScheduleBook {
    /// How many times are told at most, as in Temporal's server.
    static let mostMatchingTimes = 1_000

    /// Takes a call. Its answer is an effect, now or later.
    public mutating func call(_ id: UInt64, _ call: ScheduleCall, on name: ScheduleName, at now: Instant) {
        if let entry = entries[name] {
            guard entry.record == nil else { return self.call(id, call, name, at: now) }
            // Until its row is gone, nothing can be known of another one.
            entries[name]?.callsBehind.append((id, call))
            return
        }
        if calls[name] == nil { toLoad.append(name) }
        calls[name, default: []].append((id, call))
    }

    /// What the database says of those that were to be loaded.
    public mutating func loaded(_ names: [ScheduleName], _ found: [StoredSchedule], at now: Instant) {
        for stored in found { install(stored, at: now) }
        for name in names {
            let waiting = calls.removeValue(forKey: name) ?? []
            for (id, call) in waiting {
                if entries[name] != nil {
                    self.call(id, call, on: name, at: now)
                } else {
                    callMissing(id, call, name, at: now)
                }
            }
        }
    }

    /// A call on a schedule that does not exist.
    private mutating func callMissing(_ id: UInt64, _ call: ScheduleCall, _ name: ScheduleName, at now: Instant) {
        switch call {
        case .create(let request, let definition, let attributes, let instance):
            create(id, request, definition, attributes, instance, name, at: now)
        case .ended: answer(id, .success(.done))
        default: answer(id, .failure(.scheduleNotFound(name.id)))
        }
    }

    private mutating func create(
        _ id: UInt64,
        _ request: CreateScheduleRequest,
        _ definition: ScheduleDefinition,
        _ attributes: RawMessage<SearchAttributes>?,
        _ instance: RunID,
        _ name: ScheduleName,
        at now: Instant
    ) {
        let record = ScheduleRecord(
            request,
            definition: definition,
            searchAttributes: attributes,
            namespace: name.namespace,
            instance: instance,
            at: now
        )
        var entry = ScheduleEntry(StoredSchedule(record: record, revision: 0), definition.times)
        (entry.isDirty, entry.definitionHasChanged, entry.attributesHaveChanged) = (true, true, true)
        entries[name] = entry
        decide(name, at: now, { _ in .answer(call: id, .created(token: record.conflictToken)) }) { record, times in
            guard let patch = request.initialPatch else { return record.pass(to: now, times) }
            return record.patch(patch, requestID: "", times: times, at: now)
        }
    }

    /// A call on a schedule that exists.
    private mutating func call(_ id: UInt64, _ call: ScheduleCall, _ name: ScheduleName, at now: Instant) {
        passTime(of: name, to: now)
        guard let record = entries[name]?.record else { return }
        switch call {
        case .create(let request, _, _, _):
            guard record.isCreated(by: request) else { return answer(id, .failure(.scheduleExists(name.id))) }
            decide(name, at: now, { .answer(call: id, .created(token: $0.conflictToken)) }) { _, _ in [] }
        case .update(let request, let definition, let attributes):
            update(id, request, definition, attributes, name, at: now)
        case .patch(let patch, let requestID):
            decide(name, at: now, { _ in .answer(call: id, .done) }) { record, times in
                record.patch(patch, requestID: requestID, times: times, at: now)
            }
        case .delete: delete(id, name, at: now)
        case .describe:
            let (times, problem) = (entries[name]?.times ?? .none, problem(of: record))
            decide(name, at: now, { .answer(call: id, .description($0.description(times, problem: problem, at: now))) })
            {
                _,
                _ in []
            }
        case .matchingTimes(let from, let to):
            let times = entries[name]?.times.matching(from: from, to: to, limit: Self.mostMatchingTimes) ?? []
            decide(name, at: now, { _ in .answer(call: id, .times(times)) }) { _, _ in [] }
        case .ended(let end):
            guard !record.isStillToDecide(end) else {
                return answer(id, .failure(.unavailable("the start of this run is not noted yet; try again")))
            }
            decide(name, at: now, { _ in .answer(call: id, .done) }) { record, _ in record.ended(end, at: now) }
        }
    }

    private mutating func update(
        _ id: UInt64,
        _ request: UpdateScheduleRequest,
        _ definition: ScheduleDefinition,
        _ attributes: RawMessage<SearchAttributes>?,
        _ name: ScheduleName,
        at now: Instant
    ) {
        guard var changed = entries[name]?.record else { return }
        let actions: [ScheduleDemand]
        do throws(RequestError) {
            actions = try changed.update(request, definition: definition, searchAttributes: attributes, at: now)
        } catch {
            return answer(id, .failure(error))
        }
        entries[name]?.times = definition.times
        entries[name]?.definitionHasChanged = true
        entries[name]?.attributesHaveChanged = true
        decide(name, at: now, { _ in .answer(call: id, .done) }) { record, _ in
            record = changed
            return actions
        }
    }

    private mutating func delete(_ id: UInt64, _ name: ScheduleName, at now: Instant) {
        guard var entry = entries[name] else { return }
        entry.record = nil
        entry.alarm = nil
        entry.retry = nil
        entry.isHeldSince = nil
        entry.isDirty = true
        entry.waiting.append(.answer(call: id, .done))
        settle(name, entry, at: now)
    }
}

extension RequestError {
    /// The words of Temporal's server, whose schedules are workflows.
    static func scheduleNotFound(_ id: String) -> RequestError {
        .workflowNotFound("temporal-sys-scheduler:\(id)")
    }

    static func scheduleExists(_ id: String) -> RequestError {
        RequestError(
            .alreadyExists,
            "schedule \"\(id)\" is already registered",
            detail: .workflowAlreadyStarted(runID: nil, startRequestID: "")
        )
    }
}
