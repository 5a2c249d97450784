internal import SagamoreAPI
internal import SagamoreProtobuf

extension Execution {
    /// Does not check whether the namespace knows an attribute: there is no registry.
    func upsertSearchAttributes(
        _ attributes: UpsertWorkflowSearchAttributesCommandAttributes,
        _ context: CommandContext,
        in draft: inout Draft
    ) -> CommandRefusal? {
        if let wrong = problem(with: attributes.searchAttributes) { return CommandRefusal(.badSearchAttributes, wrong) }
        var event = UpsertWorkflowSearchAttributesEventAttributes()
        event.workflowTaskCompletedEventID = context.completedEventID
        event.searchAttributes = attributes.searchAttributes
        draft.event(.upsertWorkflowSearchAttributes, .upsertWorkflowSearchAttributesEventAttributes(event))
        return nil
    }

    private func problem(with given: RawMessage<SearchAttributes>?) -> String? {
        guard let given, let attributes = try? given.decoded() else {
            return "SearchAttributes is not set on UpsertWorkflowSearchAttributesCommand."
        }
        let fields = attributes.indexedFields
        if fields.isEmpty { return "IndexedFields is not set on UpsertWorkflowSearchAttributesCommand." }
        if let name = fields.keys.sorted().first(where: ownedByTheServer.contains) {
            return "\(name) attribute can't be set in SearchAttributes"
        }
        if fields.count > mostAttributes {
            return "number of search attributes \(fields.count) exceeds limit \(mostAttributes)"
        }
        if given.bytes.count > mostAttributeBytes {
            return "total size of search attributes \(given.bytes.count) exceeds size limit \(mostAttributeBytes)"
        }
        return nil
    }
}

/// Temporal defaults: 100 attributes of 40 KiB in one command.
private let mostAttributes = 100
private let mostAttributeBytes = 40 << 10

/// Attributes that the server maintains itself.
private let ownedByTheServer: Set<String> = [
    "WorkflowId", "RunId", "WorkflowType", "StartTime", "ExecutionTime", "CloseTime", "ExecutionStatus", "TaskQueue",
    "HistoryLength", "HistorySizeBytes", "ExecutionDuration", "StateTransitionCount", "ParentWorkflowId", "ParentRunId",
    "RootWorkflowId", "RootRunId",
]
