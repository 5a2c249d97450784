package import SagamoreAPI
package import SagamoreEngine

/// The run of a reset, made from the entries of the run before as the history service does it: its events up to the
/// point are applied, and nothing else of it.
package struct ResetRun {
    package static let runID = RunID(high: 0x0190_0000_0000_7001, low: 0x8000_0000_0000_0002)

    package private(set) var execution: SagamoreEngine.Execution
    package let decision: Decision
    /// What the new run's journal holds.
    package private(set) var entries: [Entry] = []

    /// - Throws: `RequestError` if there is no such point.
    package init(
        of base: [Entry],
        at eventID: Int64,
        _ request: ResetRequest,
        origin: CommandOrigin? = nil,
        startRequestID: String = "start",
        now: Instant
    ) throws {
        var rebuilt = SagamoreEngine.Execution(key: Samples.key, runID: Self.runID)
        var point = ResetPoint()
        var reapplied: [HistoryEvent] = []
        for case .event(let recorded) in base {
            if recorded.event.eventID < eventID {
                try rebuilt.applyValidated(.event(recorded))
                point.take(recorded.event)
                entries.append(.event(recorded))
                continue
            }
            if recorded.event.eventID == eventID { try point.check(recorded.event) }
            if let again = request.reapplied(recorded.event) { reapplied.append(again) }
        }
        let inheritance = ResetInheritance(
            baseRunID: Samples.runID,
            startRequestID: startRequestID,
            origin: origin,
            publishedStatusEvents: origin == nil ? 0 : 1,
            reapplied: reapplied
        )
        decision = rebuilt.decide(request, at: point, inheritance, now: now)
        for entry in decision.entries {
            try rebuilt.applyValidated(entry)
            if entry.isDurable { entries.append(entry) }
        }
        execution = rebuilt
    }

    package var history: [HistoryEvent] {
        entries.compactMap { if case .event(let recorded) = $0 { recorded.event } else { nil } }
    }

    package var outline: [String] { history.map { "\($0.eventID) \($0.eventType.shortName)" } }

    /// Applies a decision of the new run.
    package mutating func apply(_ decision: Decision) {
        for entry in decision.entries {
            do throws(InvalidEntry) { try execution.applyValidated(entry) } catch { preconditionFailure("\(error)") }
            if entry.isDurable { entries.append(entry) }
        }
    }
}

extension Samples {
    package static func reset(
        at eventID: Int64,
        requestID: String = "reset",
        _ adjust: (inout ResetWorkflowExecutionRequest) -> Void = { _ in }
    ) throws(RequestError) -> ResetRequest {
        var request = ResetWorkflowExecutionRequest()
        request.reason = "the reason"
        request.requestID = requestID
        request.workflowTaskFinishEventID = eventID
        adjust(&request)
        return try ResetRequest(request, limits: Limits())
    }

    package static func options(
        _ path: String = "",
        identity: String = "administrator",
        _ fill: (inout Priority) -> Void
    ) throws(RequestError) -> ExecutionOptionsRequest {
        var options = WorkflowExecutionOptions()
        var priority = Priority()
        fill(&priority)
        options.priority = priority
        return try ExecutionOptionsRequest(
            options,
            paths: path.isEmpty ? [] : [path],
            identity: identity,
            limits: Limits()
        )
    }
}
