internal import SagamoreAPI
internal import SagamoreCommandLineArguments

/// The options that name a workflow, or one run of it.
enum WorkflowSelection {
    static let workflowID = Option<String>("--workflow-id", "-w", valueName: "ID", help: "The workflow.")
    static let runID = Option<String?>("--run-id", "-r", valueName: "ID", help: "The run. Default: the newest.")

    /// The options of a command for one workflow: those that name it, the command's own, and those that all have.
    static func parameters(_ own: [any Parameter] = []) -> [any Parameter] {
        ServiceClient.parameters([workflowID, runID] + own)
    }

    static func execution(_ values: ParsedValues) throws(UsageError) -> WorkflowExecution {
        guard !values[workflowID].isEmpty else { throw UsageError("'--workflow-id' must not be empty") }
        var execution = WorkflowExecution()
        execution.workflowID = values[workflowID]
        execution.runID = values[runID] ?? ""
        return execution
    }
}
