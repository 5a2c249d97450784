import SagamoreAPI
import SagamoreJSONText
import SagamoreProtobuf
import Testing

@testable import SagamoreCLI

struct HistoryViewTests {
    private func payloads(_ json: String, encoding: String = "json/plain") -> RawMessage<Payloads> {
        var payload = Payload()
        payload.metadata = ["encoding": Array(encoding.utf8)]
        payload.data = Array(json.utf8)
        var payloads = Payloads()
        payloads.payloads = [payload]
        return RawMessage(payloads)
    }

    private var started: HistoryEvent {
        var attributes = WorkflowExecutionStartedEventAttributes()
        var type = WorkflowType()
        type.name = "Travel"
        attributes.workflowType = type
        attributes.attempt = 1
        attributes.input = payloads("{\"a\":1}")
        attributes.workflowTaskTimeout = ProtobufDuration(seconds: 10, nanos: 0)
        attributes.firstWorkflowTaskBackoff = ProtobufDuration(seconds: 0, nanos: 1_500_000)
        var event = HistoryEvent()
        event.eventID = 1
        event.eventTime = ProtobufTimestamp(seconds: 1_700_000_000, nanos: 120_000_000)
        event.eventType = .workflowExecutionStarted
        event.taskID = 1 << 60
        event.attributes = .workflowExecutionStartedEventAttributes(attributes)
        return event
    }

    @Test func aMessageIsShownInProtobufsJSONMapping() throws {
        let expected = """
            {"eventId":"1","eventTime":"2023-11-14T22:13:20.120Z","eventType":"EVENT_TYPE_WORKFLOW_EXECUTION_STARTED",\
            "taskId":"1152921504606846976","workflowExecutionStartedEventAttributes":{"workflowType":{"name":"Travel"},\
            "input":{"payloads":[{"metadata":{"encoding":"anNvbi9wbGFpbg=="},"data":"eyJhIjoxfQ=="}]},\
            "workflowTaskTimeout":"10s","attempt":1,"firstWorkflowTaskBackoff":"0.001500s"}}
            """
        #expect(try ProtobufJSON.value(of: started) == JSONValue.parse(expected))
    }

    @Test func unknownEnumValuesStayNumbers() throws {
        var event = HistoryEvent()
        event.eventType = EventType(rawValue: 9_999)
        #expect(try ProtobufJSON.value(of: event) == ["eventType": 9_999])
    }

    @Test func malformedNestedBytesAreAnError() throws {
        var event = started
        guard case .workflowExecutionStartedEventAttributes(var attributes)? = event.attributes else { return }
        attributes.input = RawMessage(uncheckedBytes: [0x0A, 0x7F])
        event.attributes = .workflowExecutionStartedEventAttributes(attributes)
        #expect(throws: ProtobufError.self) { try ProtobufJSON.value(of: event) }
    }

    @Test func theTableShowsTheMainAttributes() throws {
        var failed = HistoryEvent()
        failed.eventID = 2
        failed.eventTime = ProtobufTimestamp(seconds: 1_700_000_001, nanos: 0)
        failed.eventType = .activityTaskFailed
        var info = ApplicationFailureInfo()
        info.type = "Busy"
        var cause = Failure()
        cause.message = "inner"
        cause.failureInfo = .applicationFailureInfo(info)
        var failure = Failure()
        failure.message = "outer"
        failure.cause = cause
        var attributes = ActivityTaskFailedEventAttributes()
        attributes.failure = RawMessage(failure)
        attributes.scheduledEventID = 7
        failed.attributes = .activityTaskFailedEventAttributes(attributes)

        let events = try [started, failed].map { event in try ProtobufJSON.value(of: event) }
        var table = HistoryTable(lineWidth: nil)
        let lines = table.text(events, isColored: false).split(separator: "\n")
        #expect(lines.count == 3)
        #expect(lines[1].hasPrefix("1    2023-11-14 22:13:20.120  WorkflowExecutionStarted"))
        #expect(lines[1].hasSuffix("type=Travel input={\"a\":1}"))
        #expect(lines[2].hasSuffix("ActivityTaskFailed              scheduled=7 failure=\"outer <- Busy: inner\""))
    }

    private func event(_ id: Int64, _ type: EventType, _ attributes: HistoryEvent.OneOf_Attributes) -> HistoryEvent {
        var event = HistoryEvent()
        event.eventID = id
        event.eventTime = ProtobufTimestamp(seconds: 1_700_000_000, nanos: 0)
        event.eventType = type
        event.attributes = attributes
        return event
    }

    /// A saga's step that is scheduled and completed, or its undo.
    private func activity(_ id: Int64, _ type: String, undoing step: String?, fails: Bool = false) -> [HistoryEvent] {
        var scheduled = ActivityTaskScheduledEventAttributes()
        scheduled.activityType = ActivityType()
        scheduled.activityType?.name = type
        if let step {
            var header = Header()
            header.fields["saga-undo"] = Payload(text: step)
            scheduled.header = RawMessage(header)
        }
        var completed = ActivityTaskCompletedEventAttributes()
        completed.scheduledEventID = id
        var failed = ActivityTaskFailedEventAttributes()
        failed.scheduledEventID = id
        return [
            event(id, .activityTaskScheduled, .activityTaskScheduledEventAttributes(scheduled)),
            fails
                ? event(id + 1, .activityTaskFailed, .activityTaskFailedEventAttributes(failed))
                : event(id + 1, .activityTaskCompleted, .activityTaskCompletedEventAttributes(completed)),
        ]
    }

    @Test func laterEventsNameTheirActivityAndTheStepThatTheyUndo() throws {
        let events =
            activity(5, "book_car", undoing: nil) + activity(7, "undo_book_car", undoing: "book_car")
            + activity(9, "undo_book_hotel", undoing: "book_hotel", fails: true)
        let json = try events.map { event in try ProtobufJSON.value(of: event) }
        var table = HistoryTable(lineWidth: nil)
        // The header comes once, whatever the pages are.
        let text = table.text(Array(json.prefix(3)), isColored: false) + table.text(Array(json[3...]), isColored: false)
        let lines = text.split(separator: "\n").dropFirst().map { $0.split(separator: " ").dropFirst(4) }
        #expect(
            lines.map { $0.joined(separator: " ") } == [
                "activity=book_car", "activity=book_car scheduled=5",
                "compensating=book_car activity=undo_book_car",
                "activity=undo_book_car compensated=book_car scheduled=7",
                "compensating=book_hotel activity=undo_book_hotel",
                "activity=undo_book_hotel undo=book_hotel scheduled=9",
            ]
        )
        var reversed = HistoryTable(lineWidth: nil)
        reversed.learn(json)
        let newest = reversed.text(json.reversed(), isColored: false).split(separator: "\n")[1]
        #expect(newest.hasSuffix("undo=book_hotel scheduled=9"))
    }

    @Test func sectionsShowAllThatEventsSay() throws {
        let json = try ProtobufJSON.value(of: started)
        let text = EventSections(times: .iso).text([json, ["eventId": "2", "eventType": 9_999]], isColored: false)
        let expected = """
            1 WorkflowExecutionStarted
              eventTime                 2023-11-14T22:13:20.120Z
              taskId                    1152921504606846976
              workflowType.name         Travel
              input[0]                  {"a":1}
              workflowTaskTimeout       10s
              attempt                   1
              firstWorkflowTaskBackoff  0.001500s

            2 9999


            """
        #expect(text == expected)
    }

    @Test func timesCanBeDistances() throws {
        var table = HistoryTable(lineWidth: nil, times: .relative)
        let json = try ProtobufJSON.value(of: started)
        let lines = table.text([json], isColored: false).split(separator: "\n")
        #expect(lines[0].split(separator: " ") == ["ID", "TIME", "TYPE", "DETAILS"])
        #expect(lines[1].contains("d ago"))
    }
}
