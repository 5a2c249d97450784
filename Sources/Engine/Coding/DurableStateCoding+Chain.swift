internal import SagamoreAPI
internal import SagamoreProtobuf

/// What the durable state says of a run's chain.
extension DurableStateCoding {
    static func write(chainOf state: DurableState, to writer: inout ProtobufWriter) {
        for (id, eventID) in state.attachedRequestIDs.sorted(by: { $0.key > $1.key }) {
            let end = writer.count
            writer.string(2, id.text)
            writer.int64(1, omittingDefault: eventID)
            writer.lengthDelimited(Field.attachedRequestID, since: end)
        }
        writer.message(Field.userMetadata, state.userMetadata)
        writer.message(Field.recurrence, state.recurrence?.started)
        if let at = state.chainExpiration { writer.int64(Field.chainExpiration, at.nanoseconds) }
        if state.attempt != 1 { writer.int32(Field.attempt, state.attempt) }
        writer.int64(Field.publishedStatusEvents, omittingDefault: Int64(state.publishedStatusEvents))
    }

    static func fill(chainOf state: inout DurableState, from fields: StoredFields) throws(ProtobufError) {
        // A state of format 1 does not count its status events: it has published that the command was accepted.
        let published = fields.number(Field.publishedStatusEvents)
        state.publishedStatusEvents = published == 0 && state.origin != nil ? 1 : Int(published)
        state.attempt = max(Int32(truncatingIfNeeded: fields.number(Field.attempt)), 1)
        state.chainExpiration = fields.instant(Field.chainExpiration)
        state.userMetadata = fields.message(Field.userMetadata)
        if let bytes = fields.bytes(Field.recurrence) {
            state.recurrence = Recurrence(try WorkflowExecutionStartedEventAttributes(serializedBytes: bytes))
        }
    }
}
