internal import SagamoreAPI
internal import SagamoreProtobuf

/// The description of a schedule for people.
struct ScheduleDescriptionText {
    private let id: String
    private let response: DescribeScheduleResponse
    private let schedule: Schedule
    private let info: ScheduleInfo
    private let times: TimeFormat
    private let lineWidth: Int?
    private let isColored: Bool

    /// - Parameter lineWidth: the terminal's width; nil for unlimited lines.
    init(
        _ id: String,
        _ response: DescribeScheduleResponse,
        times: TimeFormat = .iso,
        lineWidth: Int? = TerminalWidth.ofStandardOutput,
        isColored: Bool = Color.isOn
    ) {
        self.id = id
        self.response = response
        schedule = response.schedule ?? Schedule()
        info = response.info ?? ScheduleInfo()
        self.times = times
        self.lineWidth = lineWidth
        self.isColored = isColored
    }

    func text() throws -> String { try description() + workflow() + past() }

    private func description() throws -> String {
        let state = schedule.state ?? ScheduleState()
        let spec = schedule.spec ?? ScheduleSpec()
        let policies = schedule.policies ?? SchedulePolicies()
        var properties = Properties()
        properties.add("ScheduleId", id)
        properties.add("State", state.paused ? "Paused" : "Running", color: state.paused ? .yellow : nil)
        properties.add("Notes", state.notes)
        properties.add("RemainingActions", state.limitedActions ? String(state.remainingActions) : nil)
        properties.add("Specification", spec.text)
        properties.add("TimeZone", spec.timezoneName)
        properties.add("StartTime", spec.startTime.map { times.text($0) })
        properties.add("EndTime", spec.endTime.map { times.text($0) })
        properties.add("Jitter", spec.jitter.flatMap { $0.seconds == 0 && $0.nanos == 0 ? nil : $0.text })
        properties.add(
            "OverlapPolicy",
            policies.overlapPolicy.description.inCamelCase(without: "SCHEDULE_OVERLAP_POLICY_")
        )
        properties.add("CatchupWindow", policies.catchupWindow?.text)
        properties.add("PauseOnFailure", policies.pauseOnFailure ? "true" : nil)
        properties.add("CreateTime", info.createTime.map { times.text($0) })
        properties.add("UpdateTime", info.updateTime.map { times.text($0) })
        if let memo = response.memo { properties.add("Memo", try memo.decoded().fields.text) }
        if let attributes = response.searchAttributes {
            properties.add("SearchAttributes", try attributes.decoded().indexedFields.text)
        }
        properties.add("Problem", info.invalidScheduleError, color: .red)
        return properties.text(title: "Schedule:", isColored: isColored)
    }

    private func workflow() throws -> String {
        guard case .startWorkflow(let workflow)? = schedule.action?.action else { return "" }
        var properties = Properties()
        properties.add("WorkflowId", workflow.workflowID)
        properties.add("Type", workflow.workflowType?.name)
        properties.add("TaskQueue", workflow.taskQueue?.name)
        properties.add("Input", try workflow.input?.decoded().text)
        properties.add("ExecutionTimeout", workflow.workflowExecutionTimeout?.text)
        properties.add("RunTimeout", workflow.workflowRunTimeout?.text)
        properties.add("TaskTimeout", workflow.workflowTaskTimeout?.text)
        if let memo = workflow.memo { properties.add("Memo", try memo.decoded().fields.text) }
        if let attributes = workflow.searchAttributes {
            properties.add("SearchAttributes", try attributes.decoded().indexedFields.text)
        }
        return "\n" + properties.text(title: "Workflow:", isColored: isColored)
    }

    /// What it did, and what it is going to do.
    private func past() -> String {
        var properties = Properties()
        properties.add("Started", String(info.actionCount))
        properties.add("Skipped", info.overlapSkipped > 0 ? "\(info.overlapSkipped) that overlapped" : nil)
        properties.add("Missed", info.missedCatchupWindow > 0 ? "\(info.missedCatchupWindow) in the past" : nil)
        properties.add("Dropped", info.bufferDropped > 0 ? "\(info.bufferDropped) of a full buffer" : nil)
        properties.add("Waiting", info.bufferSize > 0 ? String(info.bufferSize) : nil)
        properties.add("NextRunTimes", info.futureActionTimes.text(times))
        properties.add("RunningWorkflows", info.runningWorkflows.map(\.workflowID).joined(separator: ", "))
        let text = "\n" + properties.text(title: "Actions:", isColored: isColored)
        guard !info.recentActions.isEmpty else { return text }
        var table = StreamingTable(
            [
                .init(title: "Time", width: 20), .init(title: "Status", width: 10),
                .init(title: "WorkflowId", width: 20), .init(title: "RunId", width: 0),
            ],
            lineWidth: lineWidth
        )
        let rows = info.recentActions.map { action in
            let (run, status) = (action.startWorkflowResult, action.startWorkflowStatus)
            let cells = [
                action.time.map { times.text($0, .seconds) } ?? "",
                status.rawValue == 0 ? "" : status.text,
                run?.workflowID ?? "", run?.runID ?? "",
            ]
            return table.row(cells, colors: status.color.map { [1: $0] } ?? [:], isColored: isColored)
        }
        let header = table.header(colors: isColored)
        return text + "\n" + Color.bold.paint("Recent Actions:", isOn: isColored) + "\n" + header + rows.joined()
    }
}
