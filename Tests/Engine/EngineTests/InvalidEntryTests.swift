import SagamoreAPI
import SagamoreEngine
import SagamoreEngineTestSupport
import Testing

/// Entries that do not fit their execution. The property tests check that all other entries fit, live and from the
/// journal.
@Suite struct InvalidEntryTests {
    /// A run with an activity whose first attempt is running.
    private static func stage() throws -> Stage {
        let stage = Stage()
        try stage.start()
        try stage.run(Samples.schedule("a"))
        let id = try #require(stage.execution.durable.activities.keys.first)
        try stage.pollActivity(id)
        return stage
    }

    private static func reason(_ execution: SagamoreEngine.Execution, _ entry: Entry) -> String? {
        do throws(InvalidEntry) {
            try execution.validate(entry)
            return nil
        } catch {
            return error.description
        }
    }

    private static func event(_ id: Int64, _ type: EventType) -> Entry {
        var event = HistoryEvent()
        event.eventID = id
        event.eventType = type
        return .event(RecordedEvent(event))
    }

    @Test func eventsAreNumberedWithoutGaps() throws {
        let execution = try Self.stage().execution
        let last = execution.durable.lastEventID
        #expect(Self.reason(execution, Self.event(last + 1, .workflowExecutionSignaled)) == nil)
        for id in [last - 1, last, last + 2] {
            #expect(Self.reason(execution, Self.event(id, .workflowExecutionSignaled)) != nil, "\(id)")
        }
        #expect(Self.reason(execution, Self.event(last + 1, .workflowExecutionStarted)) != nil)
        let empty = SagamoreEngine.Execution(key: execution.key, runID: execution.runID)
        #expect(Self.reason(empty, Self.event(1, .workflowExecutionStarted)) == nil)
        #expect(Self.reason(empty, Self.event(1, .workflowTaskScheduled)) != nil)
    }

    @Test func noEventFollowsTheClosingEvent() throws {
        let stage = try Self.stage()
        try stage.terminate()
        let execution = stage.execution
        let next = execution.durable.lastEventID + 1
        #expect(Self.reason(execution, Self.event(next, .workflowExecutionSignaled)) != nil)
    }

    @Test func factsAboutNothingPendingAreInvalid() throws {
        let stage = try Self.stage()
        let execution = stage.execution
        let last = execution.durable.lastEventID
        let id = try #require(execution.durable.activities.keys.first)
        func fact(_ fact: Fact, after event: Int64 = last) -> String? {
            Self.reason(execution, .fact(RecordedFact(fact, afterEventID: event)))
        }
        func returned(_ id: Int64, _ attempt: Int32) -> Fact {
            .activityReturned(scheduledEventID: id, attempt: attempt, at: stage.now)
        }
        #expect(fact(returned(id, 1)) == nil)
        #expect(fact(returned(id, 1), after: last - 1) != nil)
        #expect(fact(returned(id, 2)) != nil)
        #expect(fact(returned(id + 100, 1)) != nil)
        let pause = ActivityPause(at: stage.now, identity: "operator", reason: "")
        #expect(fact(.activityPaused(scheduledEventID: id, pause)) == nil)
        #expect(fact(.activityPaused(scheduledEventID: id + 100, pause)) != nil)
        func unpaused(_ dueAt: Instant?) -> Fact {
            .activityUnpaused(
                Fact.ActivityUnpause(scheduledEventID: id, dueAt: dueAt, resetsAttempts: false, resetsHeartbeat: false)
            )
        }
        #expect(fact(unpaused(nil)) != nil)
        func reset(_ dueAt: Instant?) -> Fact {
            .activityReset(
                Fact.ActivityReset(scheduledEventID: id, dueAt: dueAt, unpauses: true, resetsHeartbeat: false)
            )
        }
        #expect(fact(reset(nil)) == nil)
        #expect(fact(reset(stage.now)) != nil, "it runs")
        var buffered = HistoryEvent()
        #expect(fact(.eventBuffered(buffered)) == nil)
        buffered.eventID = 3
        #expect(fact(.eventBuffered(buffered)) != nil)
        #expect(fact(.workflowTaskRetried(attempt: 1, at: stage.now)) != nil)
    }
}
