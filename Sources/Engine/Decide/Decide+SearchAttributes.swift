public import SagamoreAPI
public import SagamoreProtobuf

extension Execution {
    func upsertSearchAttributes(
        _ attributes: UpsertWorkflowSearchAttributesCommandAttributes,
        _ context: inout CommandContext,
        in draft: inout Draft
    ) -> CommandRefusal? {
        let limits = context.limits
        if let wrong = searchAttributeProblem(attributes.searchAttributes, context) {
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
        event.searchAttributes = context.completion.attributes?.typedChange(given) ?? given
        draft.decision.changesListing = true
        draft.event(.upsertWorkflowSearchAttributes, .upsertWorkflowSearchAttributesEventAttributes(event))
        return nil
    }

    /// What is wrong with search attributes of a command, in Temporal's words, and whether it ends the run.
    func searchAttributeProblem(
        _ given: RawMessage<SearchAttributes>?,
        _ context: CommandContext
    ) -> (text: String, isTerminal: Bool)? {
        let (limits, catalog) = (context.limits, context.completion.attributes)
        guard let given, let decoded = try? given.decoded() else {
            return ("SearchAttributes is not set on UpsertWorkflowSearchAttributesCommand.", false)
        }
        if decoded.indexedFields.isEmpty {
            return ("IndexedFields is not set on UpsertWorkflowSearchAttributesCommand.", false)
        }
        if let wrong = problem(withFieldsOf: decoded, catalog, limits) { return (wrong, false) }
        return problem(withSizeOf: given, decoded, limits).map { ($0, true) }
    }
}

/// Rejects search attributes of a request that are too many or too large, that the namespace does not know or that the
/// server maintains itself, and values of another type.
///
/// - Parameter catalog: what the namespace knows; nil: everything.
public func checkSearchAttributes(
    _ given: RawMessage<SearchAttributes>?,
    _ catalog: SearchAttributeCatalog?,
    _ limits: Limits
) throws(RequestError) {
    guard let given, let decoded = try? given.decoded(), !decoded.indexedFields.isEmpty else { return }
    if let wrong = problem(withFieldsOf: decoded, catalog, limits) ?? problem(withSizeOf: given, decoded, limits) {
        throw .invalidArgument(wrong)
    }
}

private func problem(
    withFieldsOf attributes: SearchAttributes,
    _ catalog: SearchAttributeCatalog?,
    _ limits: Limits
) -> String? {
    let fields = attributes.indexedFields
    if fields.count > limits.searchAttributes {
        return "number of search attributes \(fields.count) exceeds limit \(limits.searchAttributes)"
    }
    for (name, payload) in fields.sorted(by: { $0.key < $1.key }) {
        if let wrong = catalog?.problem(with: name, payload) { return wrong }
        if SearchAttributeCatalog.isMaintained(name) { return "\(name) attribute can't be set in SearchAttributes" }
    }
    return nil
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
