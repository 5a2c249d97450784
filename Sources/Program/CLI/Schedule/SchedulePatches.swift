internal import SagamoreAPI
internal import SagamoreCommandLineArguments

/// `sagamore schedule toggle`, `trigger` and `backfill`.
enum SchedulePatches {
    static let pause = Flag("--pause", help: "Pause it.")
    static let unpause = Flag("--unpause", help: "Unpause it.")
    static let reason = Option<String>(
        "--reason",
        valueName: "TEXT",
        default: "(no reason provided)",
        help: "Why; it becomes the schedule's notes."
    )
    static let startTime = Option<TimeArgument>("--start-time", valueName: "TIME", help: "The first time.")
    static let endTime = Option<TimeArgument>("--end-time", valueName: "TIME", help: "The last time.")

    static let follows = Flag("--follow", "-f", help: "Wait until all have begun. A terminal shows the progress.")

    static let toggle = Command(
        "toggle",
        abstract: "Pause or unpause a schedule.",
        discussion: """
            Example:
            sagamore schedule toggle -s nightly --pause --reason "the bank is closed"
            """,
        parameters: ServiceClient.parameters([ScheduleOptions.scheduleID, pause, unpause, reason])
    ) { values in
        let what = values[pause] ? "Schedule paused" : "Schedule unpaused"
        try await send(try togglePatch(values), values, report: what)
    }

    static let trigger = Command(
        "trigger",
        abstract: "Start the workflow of a schedule now.",
        discussion: """
            Example:
            sagamore schedule trigger -s nightly
            """,
        parameters: ServiceClient.parameters([ScheduleOptions.scheduleID, ScheduleOptions.overlapPolicy])
    ) { values in
        try await send(triggerPatch(values), values, report: "Trigger request sent")
    }

    static let backfill = Command(
        "backfill",
        abstract: "Start the workflows of past times.",
        discussion: """
            With the policy BufferAll they run one after the other, with AllowAll at once; Skip leaves out times at \
            which the workflow of an earlier one is still running. Example:
            sagamore schedule backfill -s nightly --start-time 2026-01-01T00:00:00Z --end-time 2026-01-31T23:59:59Z \
            --overlap-policy BufferAll --follow
            """,
        parameters: ServiceClient.parameters([
            ScheduleOptions.scheduleID, startTime, endTime, ScheduleOptions.overlapPolicy, follows,
        ])
    ) { values in
        let patch = try backfillPatch(values)
        guard values[follows], let backfill = patch.backfillRequest.first else {
            return try await send(patch, values, report: "Backfill request sent")
        }
        let id = try ScheduleOptions.id(values)
        try await ServiceClient.use(values) { client in
            let following = try await BackfillFollowing(of: backfill, schedule: id, client)
            let _: PatchScheduleResponse = try await client.call(.patchSchedule, request(patch, id, client.namespace))
            Report.done(try await following.run(), values)
        }
    }

    static func togglePatch(_ values: ParsedValues) throws(UsageError) -> SchedulePatch {
        guard values[pause] != values[unpause] else { throw UsageError("set either '--pause' or '--unpause'") }
        guard !values[reason].isEmpty else { throw UsageError("'--reason' must not be empty") }
        var patch = SchedulePatch()
        if values[pause] { patch.pause = values[reason] } else { patch.unpause = values[reason] }
        return patch
    }

    static func triggerPatch(_ values: ParsedValues) -> SchedulePatch {
        var trigger = TriggerImmediatelyRequest()
        trigger.overlapPolicy = values[ScheduleOptions.overlapPolicy].value
        var patch = SchedulePatch()
        patch.triggerImmediately = trigger
        return patch
    }

    static func backfillPatch(_ values: ParsedValues) throws(UsageError) -> SchedulePatch {
        let (start, end) = (values[startTime].time, values[endTime].time)
        guard (start.seconds, start.nanos) <= (end.seconds, end.nanos) else {
            throw UsageError("'--end-time' lies before '--start-time'")
        }
        var backfill = BackfillRequest()
        backfill.startTime = start
        backfill.endTime = end
        backfill.overlapPolicy = values[ScheduleOptions.overlapPolicy].value
        var patch = SchedulePatch()
        patch.backfillRequest = [backfill]
        return patch
    }

    private static func send(_ patch: SchedulePatch, _ values: ParsedValues, report: String) async throws {
        let request = request(patch, try ScheduleOptions.id(values), values[Places.namespace])
        try await ServiceClient.use(values) { client in
            let _: PatchScheduleResponse = try await client.call(.patchSchedule, request)
            Report.done(report, values)
        }
    }

    private static func request(_ patch: SchedulePatch, _ id: String, _ namespace: String) -> PatchScheduleRequest {
        var request = PatchScheduleRequest()
        request.namespace = namespace
        request.scheduleID = id
        request.patch = patch
        request.identity = CommandIdentity.text
        request.requestID = CommandIdentity.newID()
        return request
    }
}
