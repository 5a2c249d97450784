/// The input of an activity of a script.
struct ActivityInput: Equatable {
    /// The place of the activity in its script.
    let ordinal: Int
    /// Whether this undoes the activity.
    let isUndo: Bool
    /// What its attempts do.
    let plan: ActivityPlan

    init(ordinal: Int, isUndo: Bool, plan: ActivityPlan) {
        self.ordinal = ordinal
        self.isUndo = isUndo
        self.plan = plan
    }

    init?(bytes: [UInt8]) {
        var reader = ByteReader(bytes)
        guard let ordinal = reader.number(), let isUndo = reader.flag(), let plan = ActivityPlan(&reader) else {
            return nil
        }
        self.init(ordinal: ordinal, isUndo: isUndo, plan: plan)
    }

    var bytes: [UInt8] {
        var writer = ByteWriter(capacity: 12)
        writer.number(ordinal)
        writer.flag(isUndo)
        plan.write(&writer)
        return writer.bytes
    }
}
