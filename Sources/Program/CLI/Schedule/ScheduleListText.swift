internal import SagamoreAPI
internal import SagamoreProtobuf

/// Schedules of a list, for people.
enum ScheduleListText {
    /// - Parameter isLong: whether there are columns for times and notes.
    static func printer(
        _ format: OutputFormat,
        isLong: Bool,
        times: TimeFormat,
        lineWidth: Int? = TerminalWidth.ofStandardOutput,
        isColored: Bool = Color.isOn
    ) -> ListPrinter<ScheduleListEntry> {
        var columns: [StreamingTable.Column] = [
            .init(title: "ScheduleId", width: 20), .init(title: "State", width: 8), .init(title: "Type", width: 12),
            .init(title: "LastRunTime", width: 20), .init(title: "NextRunTime", width: 20),
        ]
        if isLong { columns += [.init(title: "Specification", width: 24), .init(title: "Notes", width: 0)] }
        return ListPrinter(format, columns: columns, lineWidth: lineWidth, isColored: isColored) { schedule in
            let info = schedule.info ?? ScheduleListInfo()
            var cells = [
                schedule.scheduleID, info.state, info.workflowType?.name ?? "",
                info.lastRunTime.map { times.text($0, .seconds) } ?? "",
                info.nextRunTime.map { times.text($0, .seconds) } ?? "",
            ]
            if isLong { cells += [info.spec?.text ?? "", info.notes] }
            return .init(cells: cells, colors: info.paused ? [1: .yellow] : [:])
        }
    }

    static func properties(
        _ schedule: ScheduleListEntry,
        times: TimeFormat,
        isColored: Bool = Color.isOn
    ) throws -> String {
        let info = schedule.info ?? ScheduleListInfo()
        var properties = Properties()
        properties.add("ScheduleId", schedule.scheduleID)
        properties.add("State", info.state, color: info.paused ? .yellow : nil)
        properties.add("Notes", info.notes)
        properties.add("Type", info.workflowType?.name)
        properties.add("Specification", info.spec?.text)
        properties.add("TimeZone", info.spec?.timezoneName)
        properties.add("LastRunTimes", info.recentActions.compactMap(\.time).text(times))
        properties.add("NextRunTimes", info.futureActionTimes.text(times))
        if let memo = schedule.memo { properties.add("Memo", try memo.decoded().fields.text) }
        if let attributes = schedule.searchAttributes {
            properties.add("SearchAttributes", try attributes.decoded().indexedFields.text)
        }
        return properties.text(title: "Schedule:", isColored: isColored)
    }
}

extension ScheduleListInfo {
    fileprivate var state: String { paused ? "Paused" : "Running" }

    fileprivate var lastRunTime: ProtobufTimestamp? { recentActions.last?.time }

    fileprivate var nextRunTime: ProtobufTimestamp? { paused ? nil : futureActionTimes.first }
}

extension ScheduleActionResult {
    /// When it began; else when it should have.
    var time: ProtobufTimestamp? { actualTime ?? scheduleTime }
}

extension [ProtobufTimestamp] {
    /// The times in one line.
    func text(_ times: TimeFormat) -> String { map { times.text($0, .seconds) }.joined(separator: ", ") }
}
