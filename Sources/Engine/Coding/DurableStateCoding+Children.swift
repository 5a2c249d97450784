internal import SagamoreAPI
internal import SagamoreProtobuf

/// Children and other workflows in a stored state.
extension DurableStateCoding {
    static func writeChildrenAndOthers(of state: DurableState, to writer: inout ProtobufWriter) {
        for id in state.childrenToEnd.sorted(by: >) { writer.int64(Field.childToEnd, id) }
        for event in descending(state.cancels) { writer.message(Field.cancel, event) }
        for event in descending(state.signals) { writer.message(Field.signal, event) }
        for child in descending(state.children) { write(child, to: &writer) }
        if let event = state.unreportedEnd { writer.message(Field.unreportedEnd, event) }
        if let root = state.root {
            let end = writer.count
            writer.string(2, root.runID.description)
            writer.string(1, root.workflowID)
            writer.lengthDelimited(Field.root, since: end)
        }
        if let parent = state.parent {
            let end = writer.count
            writer.int64(5, parent.initiatedEventID)
            writer.string(4, parent.runID.description)
            writer.string(3, parent.workflowID)
            writer.string(2, parent.namespaceName)
            writer.string(1, parent.namespaceID)
            writer.lengthDelimited(Field.parent, since: end)
        }
    }

    private static func write(_ child: PendingChild, to writer: inout ProtobufWriter) {
        let end = writer.count
        writer.int64(9, omittingDefault: child.startedEventID)
        writer.string(8, omittingDefault: child.runID)
        if let event = child.initiated { writer.message(7, event) }
        writer.int32(6, omittingDefault: child.parentClosePolicy.rawValue)
        writer.string(5, omittingDefault: child.namespaceID)
        writer.string(4, omittingDefault: child.namespace)
        writer.string(3, omittingDefault: child.type)
        writer.string(2, omittingDefault: child.workflowID)
        writer.int64(1, omittingDefault: child.initiatedEventID)
        writer.lengthDelimited(Field.child, since: end)
    }

    /// Reads a field of children or other workflows; returns false for any other field.
    static func readChildOrOther(
        _ reader: inout ProtobufReader,
        into state: inout DurableState
    ) throws(ProtobufError) -> Bool {
        switch reader.fieldNumber {
        case Field.parent: state.parent = try parent(StoredFields(message: &reader, last: 5))
        case Field.root:
            let fields = try StoredFields(message: &reader, last: 2)
            state.root = Lineage.Root(workflowID: try fields.text(1), runID: try runID(2, in: fields))
        case Field.unreportedEnd: state.unreportedEnd = try event(&reader)
        case Field.child:
            let child = try child(StoredFields(message: &reader, last: 9))
            state.children[child.initiatedEventID] = child
        case Field.signal:
            let event = try event(&reader)
            state.signals[event.eventID] = event
        case Field.cancel:
            let event = try event(&reader)
            state.cancels[event.eventID] = event
        case Field.childToEnd: state.childrenToEnd.insert(try reader.int64())
        default: return false
        }
        return true
    }

    private static func event(_ reader: inout ProtobufReader) throws(ProtobufError) -> HistoryEvent {
        var event = HistoryEvent()
        try reader.message(&event)
        return event
    }

    private static func parent(_ fields: StoredFields) throws(ProtobufError) -> Lineage.Parent {
        Lineage.Parent(
            namespaceID: try fields.text(1),
            namespaceName: try fields.text(2),
            workflowID: try fields.text(3),
            runID: try runID(4, in: fields),
            initiatedEventID: fields.number(5)
        )
    }

    private static func child(_ fields: StoredFields) throws(ProtobufError) -> PendingChild {
        PendingChild(
            initiatedEventID: fields.number(1),
            workflowID: try fields.text(2),
            type: try fields.text(3),
            namespace: try fields.text(4),
            namespaceID: try fields.text(5),
            parentClosePolicy: ParentClosePolicy(rawValue: Int32(truncatingIfNeeded: fields.number(6))),
            initiated: try fields.bytes(7).map { (bytes) throws(ProtobufError) in
                try HistoryEvent(serializedBytes: bytes, depth: storedDepth)
            },
            runID: try fields.text(8),
            startedEventID: fields.number(9)
        )
    }

    private static func runID(_ field: Int, in fields: StoredFields) throws(ProtobufError) -> RunID {
        guard let runID = RunID(try fields.text(field)) else { throw .truncated }
        return runID
    }
}
