internal import SagamoreAPI
internal import SagamoreCommandLineArguments

/// The options that name an activity of a workflow.
enum ActivitySelection {
    static let activityID = Option<String>("--activity-id", "-a", valueName: "ID", help: "The activity.")

    /// The options of a command for one activity: those that name it, the command's own, and those that all have.
    static func parameters(_ own: [any Parameter]) -> [any Parameter] {
        WorkflowSelection.parameters([activityID] + own)
    }

    static func id(_ values: ParsedValues) throws(UsageError) -> String {
        guard !values[activityID].isEmpty else { throw UsageError("'--activity-id' must not be empty") }
        return values[activityID]
    }
}

/// The options that name what a command acts on: an activity of a workflow, or those of all runs that match a filter.
enum ActivityTarget {
    case activity(String, WorkflowExecution)
    case runs(query: String)

    static let activityID = Option<String?>(
        "--activity-id",
        "-a",
        valueName: "ID",
        help: "The activity of --workflow-id; or set --query."
    )
    static let query = Option<String?>(
        "--query",
        "-q",
        valueName: "FILTER",
        help: "A batch for all activities of all runs that match, such as \"WorkflowType = 'Order'\"."
    )

    static func parameters(_ own: [any Parameter]) -> [any Parameter] {
        ServiceClient.parameters(
            [activityID, WorkflowTarget.workflowID, WorkflowSelection.runID, query] + own
                + [WorkflowEnding.batchReason] + BatchStart.parameters
        )
    }

    init(_ values: ParsedValues) throws(UsageError) {
        switch try WorkflowTarget(workflowID: values[WorkflowTarget.workflowID], query: values[Self.query], values) {
        case .workflow(let workflow):
            guard let id = values[Self.activityID], !id.isEmpty else { throw UsageError("'--activity-id' is missing") }
            self = .activity(id, workflow)
        case .runs(let query):
            guard values[Self.activityID] == nil else {
                throw UsageError("'--query' cannot be combined with '--activity-id'")
            }
            self = .runs(query: query)
        }
    }
}
