internal import SagamoreAPI
internal import SagamoreJSONText
internal import SagamoreProtobuf

/// Draws a trace as a tree: a line for each run.
struct TraceText {
    var times = TimeFormat.iso
    var lineWidth = TerminalWidth.ofStandardOutput
    var isColored = Color.isOn
    /// Until when open runs have lasted.
    var now = ProtobufTimestamp.now

    func lines(_ run: TraceRun) -> [String] { lines(run, first: "", others: "") }

    private func lines(_ run: TraceRun, first: String, others: String) -> [String] {
        var lines = [line(run, after: first)]
        for (index, child) in run.children.enumerated() {
            let isLast = index == run.children.count - 1
            lines += self.lines(
                child,
                first: others + (isLast ? "└─ " : "├─ "),
                others: others + (isLast ? "   " : "│  ")
            )
        }
        return lines
    }

    private func line(_ run: TraceRun, after prefix: String) -> String {
        let status = run.status?.text ?? (run.failure == nil ? "Initiated" : "NotStarted")
        let color = run.status.map { $0.color } ?? (run.failure == nil ? nil : .red)
        var parts = [run.type, run.name.workflowID]
        if let start = run.startTime {
            parts.append(times.text(start, .seconds))
            parts.append(Self.duration(from: start, to: run.closeTime ?? now))
        }
        if run.runCount > 1 { parts.append("\(run.runCount) runs") }
        if run.isFolded { parts.append("(children are folded)") }
        if let failure = run.failure { parts.append(failure) }
        var rest = parts.filter { !$0.isEmpty }.map(\.printable).joined(separator: "  ")
        if let lineWidth {
            let room = max(lineWidth - prefix.count - status.count - 2, 20)
            if rest.count > room { rest = rest.prefix(room - 1) + "…" }
        }
        let painted = color.map { $0.paint(status, isOn: isColored) } ?? status
        return "\(prefix)\(painted)  \(rest)"
    }

    /// In seconds, below one in milliseconds.
    private static func duration(from start: ProtobufTimestamp, to end: ProtobufTimestamp) -> String {
        let seconds = Double(end.seconds) - Double(start.seconds) + Double(end.nanos - start.nanos) / 1e9
        guard seconds > 0, seconds < 1e9 else { return "0s" }
        let milliseconds = Int64((seconds * 1_000).rounded())
        return GoDuration.string(milliseconds < 10_000 ? .milliseconds(milliseconds) : .seconds(milliseconds / 1_000))
    }
}
