internal import SagamoreAPI
internal import SagamoreCommandLineArguments

/// The options that name what a command acts on: one workflow, or all runs that match a filter.
enum WorkflowTarget {
    case workflow(WorkflowExecution)
    case runs(query: String)

    static let workflowID = Option<String?>(
        "--workflow-id",
        "-w",
        valueName: "ID",
        help: "The workflow; or set --query."
    )
    static let query = Option<String?>(
        "--query",
        "-q",
        valueName: "FILTER",
        help: "A batch for all runs that match, such as \"WorkflowType = 'Order'\"."
    )

    /// The options of a command: those that name its runs, its own, and those of a batch and of all commands.
    static func parameters(_ own: [any Parameter] = []) -> [any Parameter] {
        ServiceClient.parameters([workflowID, WorkflowSelection.runID, query] + own + BatchStart.parameters)
    }

    init(_ values: ParsedValues) throws(UsageError) {
        self = try Self(workflowID: values[Self.workflowID], query: values[Self.query], values)
    }

    /// The target by the values of these options, for commands that explain them in other words.
    init(workflowID: String?, query: String?, _ values: ParsedValues) throws(UsageError) {
        if let query {
            guard workflowID == nil, values[WorkflowSelection.runID] == nil else {
                throw UsageError("'--query' cannot be combined with '--workflow-id' or '--run-id'")
            }
            guard !query.isEmpty else { throw UsageError("'--query' must not be empty") }
            self = .runs(query: query)
            return
        }
        guard let id = workflowID else { throw UsageError("set either '--workflow-id' or '--query'") }
        guard !id.isEmpty else { throw UsageError("'--workflow-id' must not be empty") }
        guard values[BatchStart.rate] == nil else { throw UsageError("'--rps' requires '--query'") }
        var execution = WorkflowExecution()
        execution.workflowID = id
        execution.runID = values[WorkflowSelection.runID] ?? ""
        self = .workflow(execution)
    }
}
