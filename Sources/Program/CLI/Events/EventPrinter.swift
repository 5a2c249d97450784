internal import SagamoreJSONText
internal import SagamoreProtobuf

/// Prints events as they arrive: as a table for people, or one JSON event per line for programs.
struct EventPrinter {
    private struct Command: Hashable {
        var workflowID: String
        var id: String
    }

    let format: OutputFormat
    private let times: TimeFormat
    private var table: StreamingTable
    private var hasHeader = false
    /// When each unfinished command was sent or accepted. Bounded, since busy topics may be followed for a long time.
    private var begun: [Command: Int64] = [:]
    private static let begunLimit = 100_000

    init(_ format: OutputFormat, times: TimeFormat = .iso) {
        self.format = format
        self.times = times
        table = StreamingTable(
            [
                .init(title: times.title, width: times == .relative ? 8 : 23), .init(title: "WORKFLOW", width: 10),
                .init(title: "COMMAND", width: 8), .init(title: "STATUS", width: 11), .init(title: "TOOK", width: 8),
                .init(title: "DETAIL", width: 0),
            ],
            lineWidth: TerminalWidth.ofStandardOutput
        )
    }

    /// The text of an event, with the table's header before the first one.
    mutating func text(_ event: SagaEvent, isColored: Bool = Color.isOn) -> String {
        if format.isJSON { return event.line + "\n" }
        let cells = [
            event.at.map(time) ?? "", event.workflowID, event.commandID, event.status, took(event), event.detail,
        ]
        return row(cells, isColored)
    }

    /// The text of a record that is not an event.
    mutating func text(_ other: OtherRecord, isColored: Bool = Color.isOn) -> String {
        if format.isJSON { return other.json.text() + "\n" }
        let time = other.record.timestamp.flatMap { EpochNanoseconds.of(milliseconds: $0) }.map(time) ?? ""
        return row([time, "", "", other.status, "", other.detail], isColored)
    }

    private mutating func row(_ cells: [String], _ isColored: Bool) -> String {
        let header = hasHeader ? "" : table.header(colors: isColored)
        hasHeader = true
        let colors = Self.color(cells[3]).map { [3: $0] } ?? [:]
        return header + table.row(cells, colors: colors, isColored: isColored)
    }

    /// The time since the command's first event; empty for the first.
    private mutating func took(_ event: SagaEvent) -> String {
        guard let at = event.at else { return "" }
        let command = Command(workflowID: event.workflowID, id: event.commandID)
        let since = begun[command]
        if event.isLast {
            begun[command] = nil
        } else if since == nil, begun.count < Self.begunLimit {
            begun[command] = at
        }
        guard let since else { return "" }
        let (time, isTooLong) = at.subtractingReportingOverflow(since)
        return isTooLong ? "" : Self.duration(time)
    }

    /// `812 ms`, `2.34 s`, `1m5s`.
    static func duration(_ nanoseconds: Int64) -> String {
        let milliseconds = max(nanoseconds / 1_000_000, 0)
        if milliseconds < 1_000 { return "\(milliseconds) ms" }
        if milliseconds < 60_000 {
            let hundredths = String(milliseconds % 1_000 / 10)
            return "\(milliseconds / 1_000).\(hundredths.count == 1 ? "0" : "")\(hundredths) s"
        }
        return GoDuration.string(.seconds(milliseconds / 1_000))
    }

    private func time(_ nanoseconds: Int64) -> String {
        let (seconds, nanos) = nanoseconds.quotientAndRemainder(dividingBy: 1_000_000_000)
        return times.cell(ProtobufTimestamp(seconds: seconds, nanos: Int32(nanos)))
    }

    private static func color(_ status: String) -> Color? {
        switch status {
        case "passed", "delivered", "answered", "updated": .green
        case "compensated", "cancelled": .yellow
        case "failed", "rejected", "terminated", "timed_out", "dead letter": .red
        default: nil
        }
    }
}
