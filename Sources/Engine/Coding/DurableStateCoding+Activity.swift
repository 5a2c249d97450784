internal import SagamoreAPI
internal import SagamoreProtobuf

/// A pending activity within a state.
extension DurableStateCoding {
    /// The highest field of an activity.
    static let lastActivityField = 33

    static func write(_ activity: PendingActivity, to writer: inout ProtobufWriter) {
        let end = writer.count
        let machine = activity.machine
        write(machine.intervention, to: &writer)
        writer.int32(27, omittingDefault: machine.revision)
        if let at = machine.heartbeatAt { writer.int64(26, at.nanoseconds) }
        writer.message(25, machine.heartbeatDetails)
        if let at = machine.lastAttemptCompletedAt { writer.int64(24, at.nanoseconds) }
        writer.string(23, omittingDefault: machine.lastWorkerIdentity)
        writer.message(22, machine.lastFailure)
        writer.int64(21, omittingDefault: activity.cancelRequestedEventID)
        writer.fixed64(20, omittingDefault: machine.startedNonce)
        writer.string(19, omittingDefault: machine.startedBuildID)
        writer.string(18, omittingDefault: machine.startedRequestID)
        writer.string(17, omittingDefault: machine.startedIdentity)
        if let at = machine.startedAt { writer.int64(16, at.nanoseconds) }
        writer.int64(15, omittingDefault: machine.attemptScheduledAt.nanoseconds)
        writer.int32(14, omittingDefault: machine.attempt)
        writer.message(13, machine.options.priority)
        writer.message(12, activity.header)
        writer.message(11, activity.input)
        writer.message(10, machine.options.retryPolicy)
        writer.int64(9, omittingDefault: machine.options.heartbeatTimeout.nanoseconds)
        writer.int64(8, omittingDefault: machine.options.startToClose.nanoseconds)
        writer.int64(7, omittingDefault: machine.options.scheduleToStart.nanoseconds)
        writer.int64(6, omittingDefault: machine.options.scheduleToClose.nanoseconds)
        writer.int64(5, omittingDefault: machine.scheduledAt.nanoseconds)
        writer.string(4, omittingDefault: machine.options.taskQueue)
        writer.string(3, omittingDefault: activity.type)
        writer.string(2, omittingDefault: activity.activityID)
        writer.int64(1, omittingDefault: activity.scheduledEventID)
        writer.lengthDelimited(Field.activity, since: end)
    }

    private static func write(_ intervention: ActivityIntervention?, to writer: inout ProtobufWriter) {
        guard let intervention else { return }
        writer.message(33, intervention.original?.message)
        writer.bool(32, omittingDefault: intervention.forgetsHeartbeat)
        writer.bool(31, omittingDefault: intervention.isReset)
        guard let pause = intervention.pause else { return }
        writer.string(30, omittingDefault: pause.reason)
        writer.string(29, omittingDefault: pause.identity)
        writer.int64(28, pause.at.nanoseconds)
    }

    static func activity(_ fields: StoredFields) throws(ProtobufError) -> PendingActivity {
        var activity = PendingActivity(
            scheduledEventID: fields.number(1),
            activityID: try fields.text(2),
            type: try fields.text(3),
            input: fields.message(11),
            header: fields.message(12),
            machine: ActivityMachine(try options(fields), scheduledAt: Instant(nanoseconds: fields.number(5)))
        )
        activity.cancelRequestedEventID = fields.number(21)
        var machine = activity.machine
        machine.attempt = Int32(truncatingIfNeeded: fields.number(14))
        machine.revision = Int32(truncatingIfNeeded: fields.number(27))
        machine.attemptScheduledAt = Instant(nanoseconds: fields.number(15))
        machine.startedAt = fields.instant(16)
        machine.startedIdentity = try fields.text(17)
        machine.startedRequestID = try fields.text(18)
        machine.startedBuildID = try fields.text(19)
        machine.startedNonce = UInt64(bitPattern: fields.number(20))
        machine.isCancelRequested = activity.cancelRequestedEventID != 0
        machine.lastFailure = fields.message(22)
        machine.lastWorkerIdentity = try fields.text(23)
        machine.lastAttemptCompletedAt = fields.instant(24)
        machine.heartbeatDetails = fields.message(25)
        machine.heartbeatAt = fields.instant(26)
        machine.intervention = try intervention(fields)
        activity.machine = machine
        return activity
    }

    private static func options(_ fields: StoredFields) throws(ProtobufError) -> ActivitySettings {
        var options = ActivitySettings(ActivityOptions())
        options.taskQueue = try fields.text(4)
        options.scheduleToClose = Interval(nanoseconds: fields.number(6))
        options.scheduleToStart = Interval(nanoseconds: fields.number(7))
        options.startToClose = Interval(nanoseconds: fields.number(8))
        options.heartbeatTimeout = Interval(nanoseconds: fields.number(9))
        options.retryPolicy = try RetryPolicy(serializedBytes: fields.bytes(10) ?? [])
        if let bytes = fields.bytes(13) { options.priority = try Priority(serializedBytes: bytes) }
        return options
    }

    private static func intervention(_ fields: StoredFields) throws(ProtobufError) -> ActivityIntervention? {
        var values = ActivityIntervention.Values()
        if let at = fields.instant(28) {
            values.pause = ActivityPause(at: at, identity: try fields.text(29), reason: try fields.text(30))
        }
        values.isReset = fields.number(31) != 0
        values.forgetsHeartbeat = fields.number(32) != 0
        if let bytes = fields.bytes(33) {
            values.original = ActivitySettings(try ActivityOptions(serializedBytes: bytes))
        }
        return values == ActivityIntervention.Values() ? nil : ActivityIntervention(values)
    }
}
