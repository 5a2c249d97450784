internal import SagamoreAPI
internal import SagamoreCommandLineArguments

/// Where a run begins anew.
enum ResetPoint: Equatable {
    case event(Int64)
    case firstWorkflowTask
    case lastWorkflowTask
    /// The end of the run that continued as this one.
    case lastContinuedAsNew
    /// The first workflow task of the chain that a build has completed.
    case build(String)

    /// The values of `--type`.
    enum Kind: String, CaseIterable, ExpressibleByArgument {
        case firstWorkflowTask = "FirstWorkflowTask"
        case lastWorkflowTask = "LastWorkflowTask"
        case lastContinuedAsNew = "LastContinuedAsNew"
        case build = "BuildId"
    }

    /// The id of the event in a history. A run whose workflow task never completed begins with its first one.
    ///
    /// - Returns: nil when there is no such event.
    func eventID(in events: [HistoryEvent]) -> Int64? {
        if case .event(let id) = self { return id }
        let isCompletion = { (event: HistoryEvent) in event.eventType == .workflowTaskCompleted }
        let completion =
            self == .firstWorkflowTask ? events.first(where: isCompletion) : events.last(where: isCompletion)
        if let completion { return completion.eventID }
        return events.first { $0.eventType == .workflowTaskScheduled }.map { $0.eventID + 1 }
    }
}
