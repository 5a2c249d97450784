internal import SagamoreAPI
internal import SagamoreProtobuf

extension Execution {
    /// Does not check whether the namespace knows an attribute: there is no registry.
    func upsertSearchAttributes(
        _ attributes: UpsertWorkflowSearchAttributesCommandAttributes,
        _ context: inout CommandContext,
        in draft: inout Draft
    ) -> CommandRefusal? {
        let limits = context.limits
        if let wrong = searchAttributeProblem(attributes.searchAttributes, limits) {
            return CommandRefusal(.badSearchAttributes, wrong.text, isTerminal: wrong.isTerminal)
        }
        guard let given = attributes.searchAttributes else { return nil }
        context.searchAttributes.append(given)
        let whole = wholeSize(durable.searchAttributes, context.searchAttributes, limits.searchAttributesBytes, merged)
        if whole > limits.searchAttributesBytes {
            return CommandRefusal(.badSearchAttributes, totalSizeExceeded(whole, limits), isTerminal: true)
        }
        var event = UpsertWorkflowSearchAttributesEventAttributes()
        event.workflowTaskCompletedEventID = context.completedEventID
        event.searchAttributes = given
        draft.event(.upsertWorkflowSearchAttributes, .upsertWorkflowSearchAttributesEventAttributes(event))
        return nil
    }

    /// What is wrong with search attributes of a command, in Temporal's words, and whether it ends the run.
    func searchAttributeProblem(
        _ given: RawMessage<SearchAttributes>?,
        _ limits: Limits
    ) -> (text: String, isTerminal: Bool)? {
        guard let given, let decoded = try? given.decoded() else {
            return ("SearchAttributes is not set on UpsertWorkflowSearchAttributesCommand.", false)
        }
        if decoded.indexedFields.isEmpty {
            return ("IndexedFields is not set on UpsertWorkflowSearchAttributesCommand.", false)
        }
        if let wrong = problem(withNamesOf: decoded, limits) { return (wrong, false) }
        return problem(withSizeOf: given, decoded, limits).map { ($0, true) }
    }
}

/// Rejects search attributes of a request that are too many or too large, or that the server maintains itself.
func checkSearchAttributes(_ given: RawMessage<SearchAttributes>?, _ limits: Limits) throws(RequestError) {
    guard let given, let decoded = try? given.decoded(), !decoded.indexedFields.isEmpty else { return }
    if let wrong = problem(withNamesOf: decoded, limits) ?? problem(withSizeOf: given, decoded, limits) {
        throw .invalidArgument(wrong)
    }
}

private func problem(withNamesOf attributes: SearchAttributes, _ limits: Limits) -> String? {
    let fields = attributes.indexedFields
    if fields.count > limits.searchAttributes {
        return "number of search attributes \(fields.count) exceeds limit \(limits.searchAttributes)"
    }
    return fields.keys.sorted().first(where: ownedByTheServer.contains).map {
        "\($0) attribute can't be set in SearchAttributes"
    }
}

private func problem(
    withSizeOf given: RawMessage<SearchAttributes>,
    _ decoded: SearchAttributes,
    _ limits: Limits
) -> String? {
    let limit = limits.searchAttributeBytes
    for (name, value) in decoded.indexedFields where value.data.count > limit {
        return "search attribute \(name) value size \(value.data.count) exceeds size limit \(limit)"
    }
    let size = given.bytes.count
    return size > limits.searchAttributesBytes ? totalSizeExceeded(size, limits) : nil
}

private func totalSizeExceeded(_ size: Int, _ limits: Limits) -> String {
    "total size of search attributes \(size) exceeds size limit \(limits.searchAttributesBytes)"
}

/// Attributes that the server maintains itself.
private let ownedByTheServer: Set<String> = [
    "WorkflowId", "RunId", "WorkflowType", "StartTime", "ExecutionTime", "CloseTime", "ExecutionStatus", "TaskQueue",
    "HistoryLength", "HistorySizeBytes", "ExecutionDuration", "StateTransitionCount", "ParentWorkflowId", "ParentRunId",
    "RootWorkflowId", "RootRunId",
]
