import SagamoreAPI
import SagamoreCommandLineArguments
import SagamoreProtobuf
import Testing

@testable import SagamoreCLI

struct ScheduleOptionsTests {
    private func creation(_ arguments: [String]) throws -> CreateScheduleRequest {
        let line = ["-s", "nightly", "--type", "Report", "-t", "reports"] + arguments
        return try ScheduleChanges.creation(try ScheduleChanges.create.values(line))
    }

    @Test func optionsBecomeASchedule() throws {
        let request = try creation([
            "--calendar", #"{"dayOfWeek": "Fri", "hour": 17, "minute": "5"}"#, "--cron", "30 3 * * *", "--cron",
            "@daily", "--interval", "45m", "--interval", "6h/5h", "--start-time", "2026-01-01T00:00:00Z", "--end-time",
            "2026-12-31T23:59:59+01:00", "--jitter", "30s", "--time-zone", "Europe/Berlin", "--catchup-window", "1d",
            "--overlap-policy", "BufferOne", "--pause-on-failure", "--notes", "for the boss", "--paused",
            "--remaining-actions", "7", "--schedule-memo", "who=\"me\"", "--schedule-search-attribute", "Team=1", "-n",
            "shop",
        ])
        #expect(request.namespace == "shop")
        #expect(request.scheduleID == "nightly")
        #expect(request.requestID.count == 36)
        #expect(try request.memo?.decoded().fields["who"]?.data == Array("\"me\"".utf8))
        #expect(try request.searchAttributes?.decoded().indexedFields["Team"]?.data == Array("1".utf8))
        let spec = try #require(request.schedule?.spec)
        #expect(spec.calendar.map(\.dayOfWeek) == ["Fri"])
        #expect(spec.calendar.map(\.hour) == ["17"])
        #expect(spec.calendar.map(\.minute) == ["5"])
        #expect(spec.cronString == ["30 3 * * *", "@daily"])
        #expect(spec.interval.map { $0.interval?.seconds } == [2_700, 21_600])
        #expect(spec.interval.map { $0.phase?.seconds } == [nil, 18_000])
        #expect(spec.startTime == ProtobufTimestamp(seconds: 1_767_225_600, nanos: 0))
        #expect(spec.endTime == ProtobufTimestamp(seconds: 1_798_757_999, nanos: 0))
        #expect(spec.jitter?.seconds == 30)
        #expect(spec.timezoneName == "Europe/Berlin")
        let policies = try #require(request.schedule?.policies)
        #expect(policies.overlapPolicy == .bufferOne)
        #expect(policies.catchupWindow?.seconds == 86_400)
        #expect(policies.pauseOnFailure)
        let state = try #require(request.schedule?.state)
        #expect(state.notes == "for the boss")
        #expect(state.paused && state.limitedActions)
        #expect(state.remainingActions == 7)
    }

    @Test func theWorkflowsOptionsBecomeItsAction() throws {
        let request = try creation([
            "-w", "report", "-i", "1", "--run-timeout", "5m", "--memo", "a=1", "--search-attribute", "B=2",
            "--priority-key", "2", "--fairness-key", "team", "--fairness-weight", "1.5", "--headers", "h=3",
            "--static-summary", "a report",
        ])
        guard case .startWorkflow(let workflow)? = request.schedule?.action?.action else {
            Issue.record("the schedule starts no workflow")
            return
        }
        #expect(workflow.workflowID == "report")
        #expect(workflow.workflowType?.name == "Report")
        #expect(workflow.taskQueue?.name == "reports")
        #expect(workflow.workflowRunTimeout?.seconds == 300)
        #expect(try workflow.input?.decoded().payloads.map(\.data) == [Array("1".utf8)])
        #expect(try workflow.memo?.decoded().fields["a"]?.data == Array("1".utf8))
        #expect(try workflow.searchAttributes?.decoded().indexedFields["B"]?.data == Array("2".utf8))
        #expect(try workflow.header?.decoded().fields["h"]?.data == Array("3".utf8))
        #expect(workflow.priority?.priorityKey == 2)
        #expect(workflow.priority?.fairnessKey == "team")
        #expect(workflow.priority?.fairnessWeight == 1.5)
        #expect(try workflow.userMetadata?.decoded().summary?.data == Array("\"a report\"".utf8))
        let policies = request.schedule?.policies
        #expect(policies?.overlapPolicy == .skip)
        #expect(policies?.catchupWindow == nil)
        #expect(request.schedule?.state?.limitedActions == false)
    }

    @Test(arguments: [
        (["--calendar", "{"], "'--calendar' expects a JSON object"),
        (["--calendar", #"{"weekday": "Fri"}"#], "'--calendar' expects a JSON object"),
        (["--calendar", #"{"hour": true}"#], "'--calendar' expects a JSON object"),
        (["--interval", "45"], "'--interval' expects a duration"),
        (["--interval", "1h/1h"], "'--interval' expects a duration"),
        (["--interval", "1h/1m/1s"], "'--interval' expects a duration"),
        (["--start-time", "today"], "'--start-time' expects a time like"),
        (["--overlap-policy", "Queue"], "'--overlap-policy' expects one of Skip"),
        (["--remaining-actions", "-1"], "'--remaining-actions' expects a number"),
        (["--schedule-memo", "a=1", "--schedule-memo", "a=2"], "'--schedule-memo' names 'a' twice"),
        (["--fairness-weight", "0"], "'--fairness-weight' expects a number"),
        (["--schedule-id", ""], "'--schedule-id' must not be empty"),
    ])
    func aMistakeIsReportedWithItsOption(_ arguments: [String], _ message: String) throws {
        let error = try #require(throws: UsageError.self) { try creation(arguments) }
        #expect(error.message.hasPrefix(message), "\(error.message)")
    }

    @Test func anUpdateReplacesTheSchedule() throws {
        let line = ["-s", "nightly", "--type", "Report", "-t", "reports", "--cron", "0 4 * * *"]
        let request = try ScheduleChanges.replacement(try ScheduleChanges.update.values(line))
        #expect(request.scheduleID == "nightly")
        #expect(request.schedule?.spec?.cronString == ["0 4 * * *"])
        #expect(request.conflictToken.isEmpty)
        #expect(request.memo == nil)
    }

    @Test func aToggleIsAReason() throws {
        func patch(_ arguments: String...) throws -> SchedulePatch {
            try SchedulePatches.togglePatch(try SchedulePatches.toggle.values(["-s", "x"] + arguments))
        }
        #expect(try patch("--pause", "--reason", "closed").pause == "closed")
        #expect(try patch("--unpause").unpause == "(no reason provided)")
        #expect(throws: UsageError.self) { try patch() }
        #expect(throws: UsageError.self) { try patch("--pause", "--unpause") }
    }

    @Test func triggersAndBackfillsHaveTheirPolicy() throws {
        let trigger = try SchedulePatches.trigger.values(["-s", "x", "--overlap-policy", "AllowAll"])
        #expect(SchedulePatches.triggerPatch(trigger).triggerImmediately?.overlapPolicy == .allowAll)
        let times = ["--start-time", "2026-01-01T00:00:00Z", "--end-time", "2026-01-02T00:00:00Z"]
        let values = try SchedulePatches.backfill.values(["-s", "x", "--overlap-policy", "BufferAll"] + times)
        let backfill = try #require(try SchedulePatches.backfillPatch(values).backfillRequest.first)
        #expect(backfill.overlapPolicy == .bufferAll)
        #expect(backfill.startTime?.seconds == 1_767_225_600)
        #expect(backfill.endTime?.seconds == 1_767_312_000)
        let reversed = ["--start-time", "2026-01-02T00:00:00Z", "--end-time", "2026-01-01T00:00:00Z"]
        #expect(throws: UsageError.self) {
            try SchedulePatches.backfillPatch(try SchedulePatches.backfill.values(["-s", "x"] + reversed))
        }
        #expect(throws: UsageError.self) { try SchedulePatches.backfill.values(["-s", "x"]) }
    }
}
