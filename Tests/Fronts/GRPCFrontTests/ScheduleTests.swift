import SagamoreAPI
import SagamoreEngine
import SagamoreProtobuf
import Testing

/// What the front itself says about calls of schedules.
struct ScheduleTests {
    @Test func callsReachTheService() async throws {
        let schedules = FakeSchedules()
        try await withFront(schedules: schedules) { client in
            var create = CreateScheduleRequest()
            (create.namespace, create.scheduleID, create.requestID) = ("default", "s", "r")
            #expect(await client.refusal(.createSchedule, create.serializedBytes()) == nil)
            var describe = DescribeScheduleRequest()
            (describe.namespace, describe.scheduleID) = ("default", "s")
            #expect(await client.refusal(.describeSchedule, describe.serializedBytes()) == nil)
            var list = ListSchedulesRequest()
            (list.namespace, list.query, list.maximumPageSize) = ("default", "q", 5_000)
            #expect(await client.refusal(.listSchedules, list.serializedBytes()) == nil)
            var count = CountSchedulesRequest()
            count.namespace = "default"
            #expect(await client.refusal(.countSchedules, count.serializedBytes()) == nil)
        }
        #expect(schedules.asked.withLock { $0 } == ["create s", "describe s", "list q 1000", "count "])
    }

    @Test func whatIsMissingIsNamed() async throws {
        try await withFront { client in
            var create = CreateScheduleRequest()
            create.namespace = "default"
            #expect(
                await client.refusal(.createSchedule, create.serializedBytes())?.message
                    == "Can't load workflow execution.  WorkflowId not set."
            )
            create.scheduleID = "s"
            #expect(
                await client.refusal(.createSchedule, create.serializedBytes())?.message
                    == "RequestId is not set on request."
            )
            create.scheduleID = String(repeating: "s", count: 980)
            #expect(
                await client.refusal(.createSchedule, create.serializedBytes())?.message
                    == "WorkflowId exceeds maximum allowed length (1003/1000)"
            )
            var times = ListScheduleMatchingTimesRequest()
            (times.namespace, times.scheduleID) = ("default", "s")
            #expect(
                await client.refusal(.listScheduleMatchingTimes, times.serializedBytes())?.message
                    == "missing or invalid query"
            )
            var patch = PatchScheduleRequest()
            (patch.namespace, patch.scheduleID) = ("default", "s")
            #expect(
                await client.refusal(.patchSchedule, patch.serializedBytes())?.message == "Patch is not set on request."
            )
            patch.patch = SchedulePatch()
            patch.patch?.pause = String(repeating: "n", count: 1_001)
            #expect(
                await client.refusal(.patchSchedule, patch.serializedBytes())?.message
                    == "Schedule notes exceeds limit."
            )
            create.namespace = "nope"
            #expect(
                await client.refusal(.createSchedule, create.serializedBytes())?.message
                    == "Namespace nope is not found."
            )
        }
    }
}
