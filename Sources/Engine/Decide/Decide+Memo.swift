public import SagamoreAPI
public import SagamoreProtobuf

extension Execution {
    func upsertMemo(
        _ given: RawMessage<Memo>?,
        _ context: inout CommandContext,
        in draft: inout Draft
    ) -> CommandRefusal? {
        guard let given else {
            return CommandRefusal(
                .badModifyWorkflowPropertiesAttributes,
                "UpsertedMemo is not set on ModifyWorkflowPropertiesCommand."
            )
        }
        context.memos.append(given)
        let limit = context.limits.memoBytes
        if given.bytes.count > limit || wholeSize(durable.memo, context.memos, limit, merged) > limit {
            return tooLarge(
                "ModifyWorkflowPropertiesCommandAttributes. Memo",
                .badModifyWorkflowPropertiesAttributes
            )
        }
        var event = WorkflowPropertiesModifiedEventAttributes()
        event.workflowTaskCompletedEventID = context.completedEventID
        event.upsertedMemo = given
        draft.decision.changesListing = true
        draft.event(.workflowPropertiesModified, .workflowPropertiesModifiedEventAttributes(event))
        return nil
    }
}

/// The size of a value with changes merged over it. They are merged only if the size may exceed the limit.
func wholeSize<Message: ProtobufMessage>(
    _ old: RawMessage<Message>?,
    _ changes: [RawMessage<Message>],
    _ limit: Int,
    _ merge: (RawMessage<Message>?, RawMessage<Message>?) -> RawMessage<Message>?
) -> Int {
    let sum = changes.reduce(old?.bytes.count ?? 0) { $0 + $1.bytes.count }
    return sum <= limit ? sum : changes.reduce(old, merge)?.bytes.count ?? 0
}

/// Rejects a memo that is too large.
public func checkMemo(_ memo: RawMessage<Memo>?, _ limits: Limits) throws(RequestError) {
    if let memo, memo.bytes.count > limits.memoBytes { throw .invalidArgument("Memo size exceeds limit.") }
}
