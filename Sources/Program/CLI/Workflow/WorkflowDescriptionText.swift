internal import SagamoreAPI
internal import SagamoreProtobuf

/// The description of a run for people.
struct WorkflowDescriptionText {
    private let response: DescribeWorkflowExecutionResponse
    private let info: WorkflowExecutionInfo
    private let namespace: String
    private let times: TimeFormat
    private let lineWidth: Int?
    private let isColored: Bool

    /// - Parameter lineWidth: the terminal's width; nil for unlimited lines.
    init(
        _ response: DescribeWorkflowExecutionResponse,
        namespace: String,
        times: TimeFormat = .iso,
        lineWidth: Int? = TerminalWidth.ofStandardOutput,
        isColored: Bool = Color.isOn
    ) {
        self.response = response
        info = response.workflowExecutionInfo ?? WorkflowExecutionInfo()
        self.namespace = namespace
        self.times = times
        self.lineWidth = lineWidth
        self.isColored = isColored
    }

    func text() throws -> String {
        try information() + activities() + children()
    }

    private func information() throws -> String {
        var properties = Properties()
        properties.add("WorkflowId", info.execution?.workflowID)
        properties.add("RunId", info.execution?.runID)
        properties.add("Type", info.type?.name)
        properties.add("Namespace", namespace)
        properties.add("TaskQueue", info.taskQueue)
        properties.add("Status", info.status.text, color: info.status.color)
        properties.add("StartTime", info.startTime.map { times.text($0) })
        properties.add("ExecutionTime", info.executionTime.map { times.text($0) })
        properties.add("CloseTime", info.closeTime.map { times.text($0) })
        properties.add("HistoryLength", String(info.historyLength))
        properties.add("HistorySize", "\(info.historySizeBytes) bytes")
        properties.add("ParentWorkflowId", info.parentExecution?.workflowID)
        properties.add("ParentRunId", info.parentExecution?.runID)
        properties.add("RootWorkflowId", info.rootExecution?.workflowID)
        properties.add("RootRunId", info.rootExecution?.runID)
        if let memo = info.memo { properties.add("Memo", try memo.decoded().fields.text) }
        if let attributes = info.searchAttributes {
            properties.add("SearchAttributes", try attributes.decoded().indexedFields.text)
        }
        properties.add("WorkflowTask", response.pendingWorkflowTask.map { Self.state(of: $0) })
        if response.workflowExtendedInfo?.cancelRequested == true { properties.add("CancelRequested", "true") }
        return properties.text(title: "Execution Info:", isColored: isColored)
    }

    private static func state(of task: PendingWorkflowTaskInfo) -> String {
        "\(task.state.description.inCamelCase(without: "PENDING_WORKFLOW_TASK_STATE_")), attempt \(task.attempt)"
    }

    private func title(_ what: String, _ count: Int) -> String {
        "\n" + Color.bold.paint("\(what): \(count)", isOn: isColored) + "\n"
    }

    // MARK: What it waits for

    private func activities() throws -> String {
        let pending = response.pendingActivities
        guard !pending.isEmpty else { return "" }
        var table = StreamingTable(
            [
                .init(title: "ActivityId", width: 0), .init(title: "Type", width: 12),
                .init(title: "State", width: 9), .init(title: "Attempt", width: 0),
                .init(title: "NextAttempt", width: 24), .init(title: "LastFailure", width: 0),
            ],
            lineWidth: lineWidth
        )
        var text = title("Pending Activities", pending.count) + table.header(colors: isColored)
        for activity in pending {
            let attempts = activity.maximumAttempts > 0 ? " of \(activity.maximumAttempts)" : ""
            let cells = [
                activity.activityID,
                activity.activityType?.name ?? "",
                activity.state.description.inCamelCase(without: "PENDING_ACTIVITY_STATE_"),
                "\(activity.attempt)\(attempts)",
                activity.nextAttemptScheduleTime.map { times.text($0) } ?? "",
                try activity.lastFailure?.decoded().text ?? "",
            ]
            let colors: [Int: Color] = activity.lastFailure == nil ? [:] : [5: .red]
            text += table.row(cells, colors: colors, isColored: isColored)
        }
        return text
    }

    private func children() -> String {
        let pending = response.pendingChildren
        guard !pending.isEmpty else { return "" }
        var table = StreamingTable(
            [
                .init(title: "WorkflowId", width: 20), .init(title: "Type", width: 12),
                .init(title: "ParentClosePolicy", width: 0), .init(title: "RunId", width: 0),
            ],
            lineWidth: lineWidth
        )
        var text = title("Pending Child Workflows", pending.count) + table.header(colors: isColored)
        for child in pending {
            let policy = child.parentClosePolicy.description.inCamelCase(without: "PARENT_CLOSE_POLICY_")
            let cells = [child.workflowID, child.workflowTypeName, policy, child.runID]
            text += table.row(cells, colors: [:], isColored: isColored)
        }
        return text
    }
}
