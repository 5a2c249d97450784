import SagamoreAPI
import SagamoreJSONText
import SagamoreProtobuf
import Testing

@testable import SagamoreCLI

struct WorkflowViewTests {
    private func run(_ id: String, _ status: WorkflowExecutionStatus = .running) -> WorkflowExecutionInfo {
        var run = WorkflowExecutionInfo()
        var execution = WorkflowExecution()
        execution.workflowID = id
        execution.runID = "r-\(id)"
        run.execution = execution
        var type = WorkflowType()
        type.name = "Order"
        run.type = type
        run.status = status
        run.startTime = ProtobufTimestamp(seconds: 1_700_000_000, nanos: 120_000_000)
        return run
    }

    @Test func theHeaderOfAListIsPrintedOnce() throws {
        var printer = WorkflowListPrinter(.text, lineWidth: 100, isColored: false)
        let pages = try printer.text([run("w1")]) + printer.text([run("w\u{1b}2", .timedOut)]) + printer.end
        let lines = pages.split(separator: "\n")
        #expect(lines.count == 3)
        #expect(lines[0].split(separator: " ") == ["Status", "WorkflowId", "Type", "StartTime"])
        let columns = "Running".padded(to: 12) + "w1".padded(to: 22) + "Order".padded(to: 14)
        #expect(lines[1] == columns + "2023-11-14T22:13:20Z")
        #expect(lines[2].hasPrefix("TimedOut".padded(to: 12) + "w 2 "))
    }

    @Test func runIDsAreShownWhereTheyFit() throws {
        for (width, isShown) in [(100, false), (200, true), (nil, true)] as [(Int?, Bool)] {
            var printer = WorkflowListPrinter(.text, lineWidth: width, isColored: false)
            let text = try printer.text([run("w1")])
            #expect(text.contains("r-w1") == isShown)
        }
    }

    @Test func pagesAreOneJSONArrayOrLines() throws {
        var array = WorkflowListPrinter(.json, lineWidth: nil, isColored: false)
        let text = try array.text([run("w1"), run("w2")]) + array.text([]) + array.text([run("w3")]) + array.end
        let runs = try #require(try JSONValue.parse(text).array)
        #expect(runs.map { $0["execution"]?["workflowId"]?.string } == ["w1", "w2", "w3"])
        #expect(WorkflowListPrinter(.json, lineWidth: nil, isColored: false).end == "[]\n")

        var lines = WorkflowListPrinter(.jsonl, lineWidth: nil, isColored: false)
        let line = try ProtobufJSON.value(of: run("w1")).text() + "\n"
        let twoLines = try lines.text([run("w1"), run("w1")]) + lines.end
        #expect(twoLines == line + line)
    }

    @Test func aDescriptionShowsPendingActivitiesAndChildren() throws {
        var cause = Failure()
        cause.message = "no route"
        var failure = Failure()
        failure.message = "bank away"
        failure.cause = cause
        var type = ActivityType()
        type.name = "Pay"
        var activity = PendingActivityInfo()
        activity.activityID = "7"
        activity.activityType = type
        activity.state = .scheduled
        activity.attempt = 2
        activity.maximumAttempts = 5
        activity.lastFailure = RawMessage(failure)
        activity.nextAttemptScheduleTime = ProtobufTimestamp(seconds: 1_700_000_060, nanos: 0)
        var child = PendingChildExecutionInfo()
        child.workflowID = "child"
        child.workflowTypeName = "Kid"
        child.parentClosePolicy = .requestCancel
        var memo = Memo()
        memo.fields = ["b": Payload(json: Array("1".utf8)), "a": Payload(text: "x")]
        var response = DescribeWorkflowExecutionResponse()
        var info = run("w1")
        info.memo = RawMessage(memo)
        response.workflowExecutionInfo = info
        response.pendingActivities = [activity]
        response.pendingChildren = [child]

        let description = WorkflowDescriptionText(response, namespace: "n", lineWidth: nil, isColored: false)
        let text = try description.text()
        let lines = text.split(separator: "\n").map { $0.split(separator: " ").joined(separator: " ") }
        #expect(lines.contains("StartTime 2023-11-14T22:13:20.120Z"))
        #expect(lines.contains("Memo a=\"x\", b=1"))
        #expect(!lines.contains { $0.hasPrefix("CloseTime") })
        #expect(lines.contains("Pending Activities: 1"))
        #expect(lines.contains("7 Pay Scheduled 2 of 5 2023-11-14T22:14:20.000Z bank away <- no route"))
        #expect(lines.contains("Pending Child Workflows: 1"))
        #expect(lines.contains("child Kid RequestCancel"))
    }

    @Test func anOutcomeHasTheWorkflowsEnd() throws {
        var attributes = WorkflowExecutionTerminatedEventAttributes()
        attributes.reason = "enough"
        var event = HistoryEvent()
        event.eventType = .workflowExecutionTerminated
        event.attributes = .workflowExecutionTerminatedEventAttributes(attributes)
        let outcome = WorkflowOutcome(event, took: .milliseconds(1_234))
        let text = try outcome.text(isColored: false)
        #expect(text == "Results:\n  RunTime  1.23s\n  Status   TERMINATED\n  Failure  enough\n")
        let json = try outcome.json(["workflowId": "w"])
        #expect(json["workflowId"]?.string == "w")
        #expect(json["durationMillis"]?.int64 == 1_234)
        #expect(json["result"]?.kind == nil)
        #expect(throws: CommandFailure.self) { try outcome.check() }
    }

    @Test func aCompletedWorkflowWithoutAResultShowsNone() throws {
        var event = HistoryEvent()
        event.eventType = .workflowExecutionCompleted
        event.attributes = .workflowExecutionCompletedEventAttributes(WorkflowExecutionCompletedEventAttributes())
        let outcome = WorkflowOutcome(event)
        #expect(try outcome.text(isColored: false) == "Results:\n  Status  COMPLETED\n")
        try outcome.check()
    }

    @Test func payloadsOfOtherEncodingsAreDescribed() throws {
        var binary = Payload()
        binary.metadata["encoding"] = Array("binary/plain".utf8)
        binary.data = [1, 2, 3]
        #expect(binary.text == "(binary/plain, 3 bytes)")
        #expect(try binary.value()["data"]?.string == "AQID")
        #expect(Payload(text: "a\"b").text == "\"a\\\"b\"")
    }
}
