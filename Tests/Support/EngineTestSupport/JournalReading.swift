internal import SagamoreAPI
package import SagamoreEngine
internal import SagamoreProtobuf

/// What a journal says, worked out the slow way: each answer by looking through all entries, with nothing of `apply`.
/// The state that `apply` has added up is compared with it.
package struct JournalReading {
    let events: [RecordedEvent]
    let facts: [RecordedFact]
    /// Everything of the history that has happened, buffered or written: what is buffered counts as happened.
    let happened: [HistoryEvent]
    let entries: [Entry]

    package init(_ entries: [Entry]) {
        self.entries = entries
        events = entries.compactMap { if case .event(let event) = $0 { event } else { nil } }
        facts = entries.compactMap { if case .fact(let fact) = $0 { fact } else { nil } }
        happened =
            events.map(\.event)
            + facts.compactMap { if case .eventBuffered(let event) = $0.fact { event } else { nil } }
    }

    /// The names of the fields in which `state` is not what the journal says.
    package func differences(from state: DurableState) -> [String] {
        var differences: [String] = []
        func check<Value: Equatable>(_ field: String, _ actual: Value, _ expected: Value) {
            if actual != expected { differences.append("\(field): is \(actual), the journal says \(expected)") }
        }
        check("lastEventID", state.lastEventID, Int64(events.count))
        check("historyBytes", state.historyBytes, events.reduce(0) { $0 + Int64($1.frame.count) })
        check("factCount", state.factCount, Int64(facts.count))
        check("factBytes", state.factBytes, facts.reduce(0) { $0 + Int64($1.frame.count) })
        if case .workflowExecutionStartedEventAttributes(let started) = events.first?.event.attributes {
            check("workflowType", state.workflowType, started.workflowType?.name ?? "")
            check("taskQueue", state.taskQueue, started.taskQueue?.name ?? "")
            check("startedAt", state.startedAt.timestamp, events[0].event.eventTime ?? ProtobufTimestamp())
            check("firstRunID", state.firstRunID, started.firstExecutionRunID)
            check("executionTimeout", state.executionTimeout, Interval(started.workflowExecutionTimeout))
            check("runTimeout", state.runTimeout, Interval(started.workflowRunTimeout))
            check("taskTimeout", state.taskTimeout, Interval(started.workflowTaskTimeout))
            check("userMetadata", state.userMetadata, events[0].event.userMetadata)
            check("attempt", state.attempt, started.attempt)
            let expiration = started.continuedExecutionRunID.isEmpty ? nil : started.workflowExecutionExpirationTime
            check("chainExpiration", state.chainExpiration?.timestamp, expiration)
            let recurs = started.retryPolicy != nil || !started.cronSchedule.isEmpty
            check("earlierResetPoints", state.earlierResetPoints, started.prevAutoResetPoints?.points ?? [])
            check("recurrence", state.recurrence?.started, recurs ? started : nil)
            check("firstTaskBackoff", state.firstTaskBackoff, Interval(started.firstWorkflowTaskBackoff))
            check("memo", fields(state.memo), memo(started.memo))
            check("searchAttributes", fields(state.searchAttributes), searchAttributes(started.searchAttributes))
            check("firstTaskDueAt", state.firstTaskDueAt, firstTaskDueAt(state))
        }
        check("startRequestID", state.startRequestID, requests { $0.afterEventID == 1 }.first ?? "")
        check("requestIDs", state.requestIDs, Set(requests { $0.afterEventID != 1 }.map { ExactText($0) }))
        let command = facts.lazy.compactMap { recorded -> (origin: CommandOrigin, published: Int)? in
            switch recorded.fact {
            case .commandAccepted(let origin): (origin, 1)
            case .commandInherited(let origin, let published): (origin, published)
            default: nil
            }
        }.first
        check("origin", state.origin, command?.origin)
        check("publishedStatusEvents", state.publishedStatusEvents, command?.published ?? 0)
        check("attachedRequestIDs", state.attachedRequestIDs, attachedRequestIDs)
        check("status", state.status, status)
        check("closedAt", state.closedAt?.timestamp, status == .running ? nil : events.last?.event.eventTime)
        check("cancelRequested", state.cancelRequested, count(.workflowExecutionCancelRequested) > 0)
        check("signalCount", state.signalCount, count(.workflowExecutionSignaled))
        check("workflowTask", state.workflowTask.map(describe), workflowTask)
        check("previousStartedEventID", state.previousStartedEventID, previousStartedEventID)
        check("completedTask", state.completedTask, completedTask)
        check("builds", state.builds, builds)
        let latest = state.builds.isEmpty ? nil : state.builds[state.latestBuild]
        check("latestBuild", latest.map { [$0.id, $0.binaryChecksum] }, latestBuild.map { [$0.id, $0.checksum] })
        let sticky = stickiness
        check("stickyQueue", state.stickyQueue, sticky.queue)
        check("stickyScheduleToStart", state.stickyScheduleToStart, sticky.scheduleToStart)
        check("bufferedEvents", state.bufferedEvents, bufferedEvents)
        check("bufferedBytes", state.bufferedBytes, bufferedEvents.reduce(0) { $0 + $1.serializedBytes().count })
        check("updates", state.updates, openUpdates)
        check("completedUpdates", state.completedUpdates, completedUpdates)
        differences += activityDifferences(state) + timerDifferences(state) + childDifferences(state)
        return differences
    }

    private func count(_ type: EventType) -> Int { events.count { $0.event.eventType == type } }

    private func requests(_ condition: (RecordedFact) -> Bool) -> [String] {
        facts.compactMap { recorded in
            guard condition(recorded), case .requestSeen(let id) = recorded.fact else { return nil }
            return id
        }
    }

    private var attachedRequestIDs: [ExactText: Int64] {
        var ids: [ExactText: Int64] = [:]
        for event in happened {
            guard case .workflowExecutionOptionsUpdatedEventAttributes(let attributes) = event.attributes,
                !attributes.attachedRequestID.isEmpty
            else { continue }
            // What is buffered has no id until it is written.
            ids[ExactText(attributes.attachedRequestID), default: 0] += event.eventID
        }
        return ids
    }

    private var status: WorkflowExecutionStatus {
        switch events.last?.event.eventType {
        case .workflowExecutionCompleted?: .completed
        case .workflowExecutionFailed?: .failed
        case .workflowExecutionTimedOut?: .timedOut
        case .workflowExecutionCanceled?: .canceled
        case .workflowExecutionTerminated?: .terminated
        case .workflowExecutionContinuedAsNew?: .continuedAsNew
        default: .running
        }
    }

    private func fields(_ memo: RawMessage<Memo>?) -> ProtobufMap<Payload> { (try? memo?.decoded().fields) ?? [:] }

    private func fields(_ attributes: RawMessage<SearchAttributes>?) -> ProtobufMap<Payload> {
        (try? attributes?.decoded().indexedFields) ?? [:]
    }

    private func memo(_ started: RawMessage<Memo>?) -> ProtobufMap<Payload> {
        var all = fields(started)
        for recorded in events {
            if case .workflowPropertiesModifiedEventAttributes(let attributes) = recorded.event.attributes {
                for (name, payload) in fields(attributes.upsertedMemo) {
                    all[name] = payload.metadata["encoding"] == Array("binary/null".utf8) ? nil : payload
                }
            }
        }
        return all
    }

    private func searchAttributes(_ started: RawMessage<SearchAttributes>?) -> ProtobufMap<Payload> {
        var all = fields(started)
        for recorded in events {
            if case .upsertWorkflowSearchAttributesEventAttributes(let attributes) = recorded.event.attributes {
                for (name, payload) in fields(attributes.searchAttributes) { all[name] = payload }
            }
        }
        return all
    }

    private func firstTaskDueAt(_ state: DurableState) -> Instant? {
        guard state.firstTaskBackoff.isSet, status == .running, count(.workflowTaskScheduled) == 0 else { return nil }
        return state.startedAt + state.firstTaskBackoff
    }
}
