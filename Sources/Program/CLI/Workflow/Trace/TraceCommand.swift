internal import Glibc
internal import SagamoreAPI
internal import SagamoreCommandLineArguments

/// `sagamore workflow trace`.
enum TraceCommand {
    static let depth = Option<Int>(
        "--depth",
        valueName: "NUMBER",
        default: -1,
        help: "How far down children are shown; -1 for all."
    )
    static let folded = Option<[Status]>(
        "--fold",
        valueName: "STATUS",
        default: [.completed, .canceled, .terminated],
        help: "Leave out the children of children with this status."
    )
    static let foldsNothing = Flag("--no-fold", help: "Show all children, whatever the status of their parents.")
    static let concurrency = Option<Int>(
        "--concurrency",
        valueName: "NUMBER",
        default: 10,
        help: "How many histories are read at a time."
    )
    static let follows = Flag("--follow", "-f", help: "Draw it again until the workflow has ended.")

    /// How often a trace that is followed is drawn.
    private static let pause = Duration.seconds(1)

    static let command = Command(
        "trace",
        abstract: "Draw a run and its children as a tree, with their statuses and times.",
        discussion: """
            With --follow a terminal shows the tree as it changes; elsewhere it is shown at the end. JSON has children \
            within children. Example:
            sagamore workflow trace -w trip-1 --no-fold
            """,
        parameters: WorkflowSelection.parameters([depth, folded, foldsNothing, concurrency, follows])
    ) { values in
        let workflow = try WorkflowSelection.execution(values)
        guard values[depth] >= -1 else { throw UsageError("'--depth' expects a number, or -1 for all") }
        guard values[concurrency] >= 1 else { throw UsageError("'--concurrency' expects a number above 0") }
        let format = values[OutputFormat.option]
        let folded = values[foldsNothing] ? [] : Set(values[folded].map(\.value))
        try await ServiceClient.use(values) { client in
            var reader = TraceReader(
                depth: values[depth] < 0 ? nil : values[depth],
                folded: folded,
                concurrency: values[concurrency],
                client
            )
            var canvas = TraceCanvas()
            while true {
                let run = try await reader.read(workflow)
                let isLast = !values[follows] || run.status != .running
                if format.isJSON {
                    if isLast { StandardOutput.show(format.text(of: run.json)) }
                } else if isLast || StandardOutput.isTerminal {
                    let lines = TraceText(times: values[TimeFormat.option]).lines(run)
                    StandardOutput.show(canvas.draw(lines, height: isLast ? nil : TerminalHeight.ofStandardOutput))
                }
                if isLast { return }
                // Nobody cancels the task of a command.
                try? await Task.sleep(for: pause)
            }
        }
    }

    /// The values of `--fold`, in any case.
    enum Status: String, CaseIterable, ExpressibleByArgument {
        case running, completed, failed, canceled, terminated, timedout, continueasnew

        init?(argument: String) { self.init(rawValue: argument.lowercased()) }

        var value: WorkflowExecutionStatus {
            switch self {
            case .running: .running
            case .completed: .completed
            case .failed: .failed
            case .canceled: .canceled
            case .terminated: .terminated
            case .timedout: .timedOut
            case .continueasnew: .continuedAsNew
            }
        }
    }
}

/// Draws lines over those that it drew before.
struct TraceCanvas {
    private var drawn = 0

    /// - Parameter height: how many lines have room; nil shows all, for the last time.
    mutating func draw(_ lines: [String], height: Int?) -> String {
        var shown = lines
        if let height, lines.count >= height {
            shown = Array(lines.prefix(max(height - 2, 1)))
            shown.append("… \(lines.count - shown.count) more")
        }
        let back = drawn > 0 ? "\u{1b}[\(drawn)A\u{1b}[J" : ""
        drawn = shown.count
        return back + shown.map { "\($0)\n" }.joined()
    }
}
