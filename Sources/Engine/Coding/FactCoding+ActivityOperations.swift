internal import SagamoreAPI
internal import SagamoreProtobuf

/// What operators did to activities.
extension FactCoding {
    /// Writes one of these facts; any other writes nothing.
    static func writeOperation(_ fact: Fact, to writer: inout ProtobufWriter) {
        let end = writer.count
        switch fact {
        case .activityPaused(let scheduledEventID, let pause):
            writer.string(5, pause.reason)
            writer.string(3, pause.identity)
            writer.int64(2, pause.at.nanoseconds)
            writer.int64(1, scheduledEventID)
            writer.lengthDelimited(Field.activityPaused, since: end)
        case .activityUnpaused(let change):
            writer.bool(5, omittingDefault: change.resetsHeartbeat)
            writer.bool(3, omittingDefault: change.resetsAttempts)
            if let at = change.dueAt { writer.int64(2, at.nanoseconds) }
            writer.int64(1, change.scheduledEventID)
            writer.lengthDelimited(Field.activityUnpaused, since: end)
        case .activityReset(let change):
            writer.bool(5, omittingDefault: change.resetsHeartbeat)
            writer.bool(3, omittingDefault: change.unpauses)
            if let at = change.dueAt { writer.int64(2, at.nanoseconds) }
            writer.int64(1, change.scheduledEventID)
            writer.lengthDelimited(Field.activityReset, since: end)
        case .activityOptionsChanged(let change):
            writer.message(3, change.options.message)
            if let at = change.dueAt { writer.int64(2, at.nanoseconds) }
            writer.int64(1, change.scheduledEventID)
            writer.lengthDelimited(Field.activityOptionsChanged, since: end)
        default: break
        }
    }

    /// Reads one of these facts; nil for any other.
    static func readOperation(_ field: Int, _ values: FieldValues) throws(ProtobufError) -> Fact? {
        let id = values.number(1)
        let dueAt = values.numbers[2].map { Instant(nanoseconds: $0) }
        switch field {
        case Field.activityPaused:
            let at = Instant(nanoseconds: values.number(2))
            let pause = ActivityPause(at: at, identity: try values.text(3), reason: try values.text(5))
            return .activityPaused(scheduledEventID: id, pause)
        case Field.activityUnpaused:
            return .activityUnpaused(
                Fact.ActivityUnpause(
                    scheduledEventID: id,
                    dueAt: dueAt,
                    resetsAttempts: values.number(3) != 0,
                    resetsHeartbeat: values.number(5) != 0
                )
            )
        case Field.activityReset:
            return .activityReset(
                Fact.ActivityReset(
                    scheduledEventID: id,
                    dueAt: dueAt,
                    unpauses: values.number(3) != 0,
                    resetsHeartbeat: values.number(5) != 0
                )
            )
        case Field.activityOptionsChanged:
            let options = ActivitySettings(try ActivityOptions(serializedBytes: values.bytes[3] ?? []))
            return .activityOptionsChanged(
                Fact.ActivityOptionsChange(scheduledEventID: id, options: options, dueAt: dueAt)
            )
        default: return nil
        }
    }
}
