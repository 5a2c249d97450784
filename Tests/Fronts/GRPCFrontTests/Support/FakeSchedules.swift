import SagamoreAPI
import SagamoreEngine
import SagamoreServices
import Synchronization

/// Notes what it is asked for, and succeeds.
final class FakeSchedules: ScheduleClient {
    let asked = Mutex<[String]>([])

    private func note(_ call: String) { asked.withLock { $0.append(call) } }

    func create(
        _ request: CreateScheduleRequest,
        in namespace: NamespaceRecord,
        reply: Reply<CreateScheduleResponse>
    ) {
        note("create \(request.scheduleID)")
        reply.succeed(CreateScheduleResponse())
    }

    func update(_ request: UpdateScheduleRequest, in namespace: NamespaceRecord, reply: Reply<Void>) {
        note("update \(request.scheduleID)")
        reply.succeed()
    }

    func patch(_ request: PatchScheduleRequest, in namespace: NamespaceRecord, reply: Reply<Void>) {
        note("patch \(request.scheduleID)")
        reply.succeed()
    }

    func delete(_ scheduleID: String, in namespace: NamespaceRecord, reply: Reply<Void>) {
        note("delete \(scheduleID)")
        reply.succeed()
    }

    func describe(
        _ scheduleID: String,
        in namespace: NamespaceRecord,
        reply: Reply<DescribeScheduleResponse>
    ) {
        note("describe \(scheduleID)")
        reply.succeed(DescribeScheduleResponse())
    }

    func matchingTimes(
        _ scheduleID: String,
        from: Instant,
        to: Instant,
        in namespace: NamespaceRecord,
        reply: Reply<[Instant]>
    ) {
        note("times \(scheduleID)")
        reply.succeed([from, to])
    }

    func list(_ request: ListRequest, reply: Reply<ListSchedulesResponse>) {
        note("list \(request.query) \(request.limit)")
        reply.succeed(ListSchedulesResponse())
    }

    func count(_ query: String, in namespace: NamespaceRecord, reply: Reply<Int64>) {
        note("count \(query)")
        reply.succeed(7)
    }
}
