import SagamoreAPI
import SagamoreProtobuf
import Testing

@testable import SagamoreCLI

struct ScheduleViewTests {
    private func range(_ start: Int32, _ end: Int32 = 0, step: Int32 = 0) -> SagamoreAPI.Range {
        var range = SagamoreAPI.Range()
        range.start = start
        range.end = end
        range.step = step
        return range
    }

    private var spec: ScheduleSpec {
        var calendar = StructuredCalendarSpec()
        calendar.second = [range(0)]
        calendar.minute = [range(0, 59, step: 15)]
        calendar.hour = [range(3), range(8, 17)]
        calendar.dayOfMonth = [range(1, 31)]
        calendar.dayOfWeek = [range(5)]
        calendar.comment = "fridays"
        var interval = IntervalSpec()
        interval.interval = ProtobufDuration(seconds: 5_400, nanos: 0)
        interval.phase = ProtobufDuration(seconds: 60, nanos: 0)
        var spec = ScheduleSpec()
        spec.structuredCalendar = [calendar]
        spec.cronString = ["@daily"]
        spec.interval = [interval]
        return spec
    }

    @Test func timesAreALine() {
        let calendar = "dayOfMonth=* dayOfWeek=5 hour=3,8-17 minute=0-59/15 (fridays)"
        #expect(spec.text == "cron \"@daily\", every 1h30m0s + 1m0s, \(calendar)")
        #expect(ScheduleSpec().text.isEmpty)
    }

    private var entry: ScheduleListEntry {
        var info = ScheduleListInfo()
        info.workflowType = WorkflowType()
        info.workflowType?.name = "Report"
        info.futureActionTimes = [ProtobufTimestamp(seconds: 1_700_000_000, nanos: 0)]
        info.notes = "for the boss"
        info.spec = spec
        var entry = ScheduleListEntry()
        entry.scheduleID = "nightly"
        entry.info = info
        return entry
    }

    @Test func aListShowsTheNextTimeOfARunningSchedule() throws {
        var paused = entry
        paused.scheduleID = "weekly"
        paused.info?.paused = true
        var printer = ScheduleListText.printer(.text, isLong: false, times: .iso, lineWidth: nil, isColored: false)
        let lines = try printer.text([entry, paused]).split(separator: "\n").map { $0.split(separator: " ") }
        #expect(lines[0] == ["ScheduleId", "State", "Type", "LastRunTime", "NextRunTime"])
        #expect(lines[1] == ["nightly", "Running", "Report", "2023-11-14T22:13:20Z"])
        #expect(lines[2] == ["weekly", "Paused", "Report"])
        var long = ScheduleListText.printer(.text, isLong: true, times: .iso, lineWidth: nil, isColored: false)
        let text = try long.text([entry])
        #expect(text.contains("every 1h30m0s + 1m0s"))
        #expect(text.hasSuffix("for the boss\n"))
        #expect(try ScheduleListText.properties(entry, times: .iso, isColored: false).contains("Notes"))
    }

    @Test func aDescriptionShowsWorkflowAndActions() throws {
        var workflow = NewWorkflowExecutionInfo()
        workflow.workflowID = "report"
        workflow.taskQueue = .named("reports")
        var action = ScheduleAction()
        action.action = .startWorkflow(workflow)
        var state = ScheduleState()
        state.limitedActions = true
        state.remainingActions = 3
        var policies = SchedulePolicies()
        policies.overlapPolicy = .bufferOne
        var schedule = Schedule()
        schedule.spec = spec
        schedule.action = action
        schedule.state = state
        schedule.policies = policies
        var run = WorkflowExecution()
        run.workflowID = "report-2023"
        run.runID = "r"
        var result = ScheduleActionResult()
        result.actualTime = ProtobufTimestamp(seconds: 1_700_000_000, nanos: 0)
        result.startWorkflowResult = run
        result.startWorkflowStatus = .completed
        var info = ScheduleInfo()
        info.actionCount = 4
        info.overlapSkipped = 2
        info.recentActions = [result]
        var response = DescribeScheduleResponse()
        response.schedule = schedule
        response.info = info
        let text = try ScheduleDescriptionText("nightly", response, lineWidth: nil, isColored: false).text()
        let lines = text.split(separator: "\n").map { $0.split(separator: " ").joined(separator: " ") }
        for line in [
            "ScheduleId nightly", "State Running", "RemainingActions 3", "OverlapPolicy BufferOne",
            "WorkflowId report", "TaskQueue reports", "Started 4", "Skipped 2 that overlapped",
            "2023-11-14T22:13:20Z Completed report-2023 r",
        ] {
            #expect(lines.contains(line), "\(line)")
        }
    }
}
