internal import SagamoreAPI
internal import SagamoreCommandLineArguments
internal import SagamoreGRPC
internal import SagamoreJSONText

/// `sagamore workflow list`.
enum ListCommand {
    static let query = Option<String?>(
        "--query",
        "-q",
        valueName: "FILTER",
        help: "Only runs that match, such as \"WorkflowType = 'Order' AND ExecutionStatus = 'Running'\"."
    )
    static let limit = Option<Int?>("--limit", valueName: "NUMBER", help: "The most runs to show. Default: all.")
    static let pageSize = Option<Int?>(
        "--page-size",
        valueName: "NUMBER",
        help: "How many runs to fetch at a time. Default: 1000, the most that a server gives."
    )

    static let command = Command(
        "list",
        abstract: "List the runs of workflows, the newest start first.",
        discussion: """
            Filters compare attributes such as WorkflowId, WorkflowType, ExecutionStatus, StartTime, SagaStatus and \
            your search attributes, joined by AND, OR and NOT. JSON is an array of protobuf JSON, jsonl has a run on \
            each line. Example:
            sagamore workflow list -q "ExecutionStatus = 'Failed' AND StartTime > '2026-01-31T00:00:00Z'" --limit 20
            """,
        parameters: ServiceClient.parameters([query, limit, pageSize])
    ) { values in
        let listing = try WorkflowListing(values)
        try await ServiceClient.use(values) { client in try await listing.run(client) }
    }
}

/// Lists runs page by page. Each page is printed when it arrives.
struct WorkflowListing {
    private let query: String
    private let limit: Int
    private let pageSize: Int
    private let format: OutputFormat

    /// The most runs of a page that servers give.
    private static let largestPage = 1_000

    static let advice: ServiceClient.Advice = [
        .invalidArgument: "A filter is like \"WorkflowType = 'Order' AND ExecutionStatus = 'Running'\""
    ]

    init(_ values: ParsedValues) throws(UsageError) {
        let (limit, pageSize) = (values[ListCommand.limit], values[ListCommand.pageSize])
        guard (limit ?? 0) >= 0 else { throw UsageError("'--limit' expects a number, or 0 for all") }
        guard (pageSize ?? 1) > 0 else { throw UsageError("'--page-size' expects a number above 0") }
        query = values[ListCommand.query] ?? ""
        self.limit = limit == 0 ? .max : limit ?? .max
        self.pageSize = min(pageSize ?? .max, Self.largestPage)
        format = values[OutputFormat.option]
    }

    func run(_ client: ServiceClient) async throws {
        var printer = WorkflowListPrinter(format)
        var missing = limit
        var request = ListWorkflowExecutionsRequest()
        request.namespace = client.namespace
        request.query = query
        repeat {
            request.pageSize = Int32(min(missing, pageSize))
            let page: ListWorkflowExecutionsResponse = try await client.call(
                .listWorkflowExecutions,
                request,
                advice: Self.advice
            )
            let runs = Array(page.executions.prefix(missing))
            StandardOutput.show(try printer.text(runs))
            missing -= runs.count
            request.nextPageToken = page.nextPageToken
        } while missing > 0 && !request.nextPageToken.isEmpty
        StandardOutput.show(printer.end)
    }
}

/// Prints runs: as a table for people, or as JSON.
struct WorkflowListPrinter {
    private let format: OutputFormat
    private let isColored: Bool
    private let showsRunIDs: Bool
    private var table: StreamingTable
    private var count = 0

    /// The width of a line from which there is room for a column of run ids.
    private static let widthForRunIDs = 140

    /// - Parameter lineWidth: the terminal's width; nil for unlimited lines.
    init(
        _ format: OutputFormat,
        lineWidth: Int? = TerminalWidth.ofStandardOutput,
        isColored: Bool = Color.isOn
    ) {
        self.format = format
        self.isColored = isColored
        showsRunIDs = lineWidth.map { $0 >= Self.widthForRunIDs } ?? true
        var columns: [StreamingTable.Column] = [
            .init(title: "Status", width: 10), .init(title: "WorkflowId", width: 20), .init(title: "Type", width: 12),
            .init(title: "StartTime", width: 20),
        ]
        if showsRunIDs { columns.append(.init(title: "RunId", width: 0)) }
        table = StreamingTable(columns, lineWidth: lineWidth)
    }

    /// The next runs, after what begins the output if they are the first.
    mutating func text(_ runs: [WorkflowExecutionInfo]) throws -> String {
        var text = ""
        for run in runs {
            switch format {
            case .text: text += (count == 0 ? table.header(colors: isColored) : "") + row(run)
            case .json:
                let json = try ProtobufJSON.value(of: run).text(pretty: true)
                text += (count == 0 ? "[\n" : ",\n") + json
            case .jsonl: text += format.text(of: try ProtobufJSON.value(of: run))
            }
            count += 1
        }
        return text
    }

    /// What follows the last run.
    var end: String {
        guard format == .json else { return "" }
        return count == 0 ? "[]\n" : "\n]\n"
    }

    private mutating func row(_ run: WorkflowExecutionInfo) -> String {
        var cells = [
            run.status.text, run.execution?.workflowID ?? "", run.type?.name ?? "",
            run.startTime?.text(.seconds) ?? "",
        ]
        if showsRunIDs { cells.append(run.execution?.runID ?? "") }
        let colors: [Int: Color] = run.status.color.map { [0: $0] } ?? [:]
        return table.row(cells, colors: colors, isColored: isColored)
    }
}
