internal import SagamoreAPI
internal import SagamoreCommandLineArguments
internal import SagamoreGRPC

/// `sagamore workflow list`.
enum ListCommand {
    static let query = Option<String?>(
        "--query",
        "-q",
        valueName: "FILTER",
        help: "Only runs that match, such as \"WorkflowType = 'Order' AND ExecutionStatus = 'Running'\"."
    )
    static let pageSize = Option<Int?>(
        "--page-size",
        valueName: "NUMBER",
        help: "How many runs to fetch at a time. Default: 1000, the most that a server gives."
    )

    /// The most runs of a page that servers give.
    private static let largestPage = 1_000

    static let advice: ServiceClient.Advice = [
        .invalidArgument: "A filter is like \"WorkflowType = 'Order' AND ExecutionStatus = 'Running'\""
    ]

    static let command = Command(
        "list",
        abstract: "List the runs of workflows, the newest start first.",
        discussion: """
            Filters compare attributes such as WorkflowId, WorkflowType, ExecutionStatus, StartTime, SagaStatus and \
            your search attributes, joined by AND, OR and NOT. JSON is an array of protobuf JSON, jsonl has a run on \
            each line. Example:
            sagamore workflow list -q "ExecutionStatus = 'Failed' AND StartTime > '2026-01-31T00:00:00Z'" --limit 20
            """,
        parameters: ServiceClient.parameters([query, Listing.limit, pageSize])
    ) { values in
        guard (values[pageSize] ?? 1) > 0 else { throw UsageError("'--page-size' expects a number above 0") }
        let listing = try Listing(values, pageSize: min(values[pageSize] ?? .max, largestPage))
        let printer = WorkflowListPrinter(values[OutputFormat.option], times: values[TimeFormat.option])
        try await ServiceClient.use(values) { client in
            var request = ListWorkflowExecutionsRequest()
            request.namespace = client.namespace
            request.query = values[query] ?? ""
            try await listing.show(printer.entries) { size, token in
                request.pageSize = size
                request.nextPageToken = token
                let page: ListWorkflowExecutionsResponse = try await client.call(
                    .listWorkflowExecutions,
                    request,
                    advice: advice
                )
                return (page.executions, page.nextPageToken)
            }
        }
    }
}

/// Prints runs: as a table for people, or as JSON.
struct WorkflowListPrinter {
    private(set) var entries: ListPrinter<WorkflowExecutionInfo>

    /// The width of a line from which there is room for a column of run ids.
    private static let widthForRunIDs = 140

    /// - Parameter lineWidth: the terminal's width; nil for unlimited lines.
    init(
        _ format: OutputFormat,
        times: TimeFormat = .iso,
        lineWidth: Int? = TerminalWidth.ofStandardOutput,
        isColored: Bool = Color.isOn
    ) {
        let showsRunIDs = lineWidth.map { $0 >= Self.widthForRunIDs } ?? true
        var columns: [StreamingTable.Column] = [
            .init(title: "Status", width: 10), .init(title: "WorkflowId", width: 20), .init(title: "Type", width: 12),
            .init(title: "StartTime", width: 20),
        ]
        if showsRunIDs { columns.append(.init(title: "RunId", width: 0)) }
        entries = ListPrinter(format, columns: columns, lineWidth: lineWidth, isColored: isColored) { run in
            var cells = [
                run.status.text, run.execution?.workflowID ?? "", run.type?.name ?? "",
                run.startTime.map { times.text($0, .seconds) } ?? "",
            ]
            if showsRunIDs { cells.append(run.execution?.runID ?? "") }
            return .init(cells: cells, colors: run.status.color.map { [0: $0] } ?? [:])
        }
    }

    /// The next runs, after what begins the output if they are the first.
    mutating func text(_ runs: [WorkflowExecutionInfo]) throws -> String { try entries.text(runs) }

    /// What follows the last run.
    var end: String { entries.end }
}
