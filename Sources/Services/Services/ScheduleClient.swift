public import SagamoreAPI
public import SagamoreEngine

/// The service that owns the schedules. Each reply is sent when what it reports is durable.
///
/// All but `create` and the lists fail with `notFound` for an unknown schedule.
public protocol ScheduleClient: Sendable {
    /// Creates a schedule. Repeated, it answers as it did before.
    ///
    /// Fails with `invalidArgument` for a definition that is wrong, `alreadyExists` for an id that is in use.
    func create(_ request: CreateScheduleRequest, in namespace: NamespaceRecord, reply: Reply<CreateScheduleResponse>)
    /// Replaces the definition of a schedule.
    ///
    /// Fails with `invalidArgument` for a definition that is wrong, `failedPrecondition` if the schedule has changed
    /// since the caller read it.
    func update(_ request: UpdateScheduleRequest, in namespace: NamespaceRecord, reply: Reply<Void>)
    /// Triggers, fills in, pauses or unpauses.
    func patch(_ request: PatchScheduleRequest, in namespace: NamespaceRecord, reply: Reply<Void>)
    /// Deletes a schedule. What it has started goes on.
    func delete(_ scheduleID: String, in namespace: NamespaceRecord, reply: Reply<Void>)
    /// What a schedule is, has done and is about to do.
    func describe(_ scheduleID: String, in namespace: NamespaceRecord, reply: Reply<DescribeScheduleResponse>)
    /// The times of a schedule behind one instant and not behind another.
    func matchingTimes(
        _ scheduleID: String,
        from: Instant,
        to: Instant,
        in namespace: NamespaceRecord,
        reply: Reply<[Instant]>
    )
    /// A page of schedules, the newest first.
    func list(_ request: ListRequest, reply: Reply<ListSchedulesResponse>)
    /// The number of schedules that a filter describes.
    func count(_ query: String, in namespace: NamespaceRecord, reply: Reply<Int64>)
}
