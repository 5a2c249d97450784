import SagamoreAPI
import SagamoreJSONText
import SagamoreProtobuf
import Testing

@testable import SagamoreCLI

struct TraceTests {
    private let name = TraceRun.Name(namespace: "default", workflowID: "trip", runID: "r")
    private let text = TraceText(
        lineWidth: nil,
        isColored: false,
        now: ProtobufTimestamp(seconds: 1_700_000_100, nanos: 0)
    )

    private func event(
        _ id: Int64,
        _ type: EventType,
        at seconds: Int64,
        _ attributes: HistoryEvent.OneOf_Attributes
    ) -> HistoryEvent {
        var event = HistoryEvent()
        event.eventID = id
        event.eventType = type
        event.eventTime = ProtobufTimestamp(seconds: 1_700_000_000 + seconds, nanos: 0)
        event.attributes = attributes
        return event
    }

    private func type(_ name: String) -> WorkflowType {
        var type = WorkflowType()
        type.name = name
        return type
    }

    private func execution(_ id: String) -> WorkflowExecution {
        var execution = WorkflowExecution()
        execution.workflowID = id
        execution.runID = "r-\(id)"
        return execution
    }

    private var started: HistoryEvent {
        var start = WorkflowExecutionStartedEventAttributes()
        start.workflowType = type("Trip")
        return event(1, .workflowExecutionStarted, at: 0, .workflowExecutionStartedEventAttributes(start))
    }

    private func initiated(_ id: Int64, _ child: String) -> HistoryEvent {
        var initiated = StartChildWorkflowExecutionInitiatedEventAttributes()
        initiated.workflowID = child
        initiated.workflowType = type("Book")
        let attributes = HistoryEvent.OneOf_Attributes.startChildWorkflowExecutionInitiatedEventAttributes(initiated)
        return event(id, .startChildWorkflowExecutionInitiated, at: 1, attributes)
    }

    private func begun(_ id: Int64, _ child: String, by initiated: Int64) -> HistoryEvent {
        var begun = ChildWorkflowExecutionStartedEventAttributes()
        begun.initiatedEventID = initiated
        begun.workflowExecution = execution(child)
        begun.workflowType = type("Book")
        let attributes = HistoryEvent.OneOf_Attributes.childWorkflowExecutionStartedEventAttributes(begun)
        return event(id, .childWorkflowExecutionStarted, at: 2, attributes)
    }

    /// A car that is booked, a hotel that could not begin, and a flight that did not yet.
    private var history: [HistoryEvent] {
        var completed = ChildWorkflowExecutionCompletedEventAttributes()
        completed.initiatedEventID = 5
        completed.workflowExecution = execution("car")
        completed.workflowType = type("Book")
        var failed = StartChildWorkflowExecutionFailedEventAttributes()
        failed.initiatedEventID = 6
        failed.workflowType = type("Book")
        failed.cause = .workflowAlreadyExists
        return [
            started, initiated(5, "car"), initiated(6, "hotel"), initiated(7, "flight"), begun(8, "car", by: 5),
            event(
                9,
                .childWorkflowExecutionCompleted,
                at: 5,
                .childWorkflowExecutionCompletedEventAttributes(completed)
            ),
            event(
                10,
                .startChildWorkflowExecutionFailed,
                at: 6,
                .startChildWorkflowExecutionFailedEventAttributes(failed)
            ),
        ]
    }

    @Test func childrenAreWhatTheirParentKnows() throws {
        let run = try TraceRun(name, history)
        #expect(
            text.lines(run) == [
                "Running  Trip  trip  2023-11-14T22:13:20Z  1m40s",
                "├─ Completed  Book  car  2023-11-14T22:13:22Z  3s",
                "├─ NotStarted  Book  hotel  WorkflowAlreadyExists",
                "└─ Initiated  Book  flight",
            ]
        )
        #expect(run.children[0].name.runID == "r-car")
        let json = run.json
        #expect(json["status"]?.string == "Running")
        #expect(json["children"]?[0]?["runId"]?.string == "r-car")
        #expect(json["children"]?.array?.count == 3)
    }

    @Test func grandchildrenStandBelowTheirParents() throws {
        var run = try TraceRun(name, [started, initiated(5, "car"), initiated(6, "hotel")])
        run.children[0].children = try TraceRun(name, [started, initiated(5, "key")]).children
        run.children[1].isFolded = true
        #expect(
            text.lines(run).dropFirst() == [
                "├─ Initiated  Book  car", "│  └─ Initiated  Book  key",
                "└─ Initiated  Book  hotel  (children are folded)",
            ]
        )
    }

    @Test func anEndHasItsTimeAndItsReason() throws {
        var failure = Failure()
        failure.message = "no cars"
        var failed = WorkflowExecutionFailedEventAttributes()
        failed.failure = RawMessage(failure)
        let end = event(5, .workflowExecutionFailed, at: 90, .workflowExecutionFailedEventAttributes(failed))
        let run = try TraceRun(name, [started, end])
        #expect(run.nextRunID == nil)
        #expect(text.lines(run) == ["Failed  Trip  trip  2023-11-14T22:13:20Z  1m30s  no cars"])
        var next = WorkflowExecutionContinuedAsNewEventAttributes()
        next.newExecutionRunID = "r2"
        let continued = event(
            5,
            .workflowExecutionContinuedAsNew,
            at: 1,
            .workflowExecutionContinuedAsNewEventAttributes(next)
        )
        #expect(try TraceRun(name, [started, continued]).nextRunID == "r2")
    }

    @Test func linesAreAsWideAsTheTerminal() throws {
        var narrow = text
        narrow.lineWidth = 30
        let line = try #require(narrow.lines(try TraceRun(name, [started])).first)
        #expect(line == "Running  Trip  trip  2023-11-…")
    }

    @Test func aCanvasIsDrawnOver() {
        var canvas = TraceCanvas()
        #expect(canvas.draw(["a", "b"], height: 10) == "a\nb\n")
        #expect(canvas.draw(["c"], height: 10) == "\u{1b}[2A\u{1b}[Jc\n")
        #expect(canvas.draw(["1", "2", "3", "4"], height: 4) == "\u{1b}[1A\u{1b}[J1\n2\n… 2 more\n")
        #expect(canvas.draw(["1", "2", "3", "4"], height: nil) == "\u{1b}[3A\u{1b}[J1\n2\n3\n4\n")
    }
}
