internal import SagamoreAPI
internal import SagamoreEngine
internal import SagamoreLogging
internal import SagamorePersistence
internal import SagamorePostgresClient
internal import SagamoreScheduling
internal import SagamoreServices
internal import SagamoreThreads

/// What came of a job.
enum ScheduleStoreOutcome: Sendable {
    case written([ScheduleWrite], conflicts: Set<ScheduleName>)
    case loaded([ScheduleName], [StoredSchedule])
    case loadedDue(ScheduleDueLoad, DueSchedules)
}

/// Does the jobs of the book, one after the other, with a session of its own. A job is tried until it is done: what the
/// book says must not differ from what is stored.
final class ScheduleStoreThread: Sendable {
    private let connect: @Sendable () throws(PostgresError) -> PostgresConnection
    private let namespaces: any NamespaceDirectory
    private let log: Logger
    private let done: @Sendable (ScheduleStoreOutcome) -> Void
    private let box = Monitor(Box())
    private let thread = Locked<SystemThread?>(nil)

    private struct Box {
        var job: ScheduleStoreJob?
        var isStopped = false
    }

    /// - Parameter done: is told what came of each job, on this thread.
    init(
        url: String,
        namespaces: any NamespaceDirectory,
        log: Logger,
        done: @escaping @Sendable (ScheduleStoreOutcome) -> Void
    ) {
        connect = { () throws(PostgresError) in
            try PostgresConnection(url, applicationName: "sagamore schedules", sessionSettings: SessionSettings.lane)
        }
        self.namespaces = namespaces
        self.log = log
        self.done = done
    }

    func start() { thread.withLock { $0 = SystemThread.required("schedule-store") { [self] in run() } } }

    /// Ends behind the job that is being done.
    func stop() {
        box.change { $0.isStopped = true }
        thread.withLock { $0 }?.join()
    }

    /// Takes a job. There is none, or it is done.
    func put(_ job: ScheduleStoreJob) { box.change { $0.job = job } }

    private func run() {
        var store: PostgresScheduleStore?
        while true {
            let job = box.wait { box -> ScheduleStoreJob?? in
                if let job = box.job {
                    box.job = nil
                    return job
                }
                return box.isStopped ? .some(nil) : nil
            }
            guard let job else { return }
            guard let outcome = finish(job, &store) else { return }
            done(outcome)
        }
    }

    /// - Returns: nil if it cannot be done and the service is to end.
    private func finish(_ job: ScheduleStoreJob, _ store: inout PostgresScheduleStore?) -> ScheduleStoreOutcome? {
        var backoff = Backoff(longest: .seconds(5))
        while true {
            do throws(PostgresError) {
                let ready = if let store { store } else { PostgresScheduleStore(try connect(), log) }
                store = ready
                return try perform(job, ready)
            } catch {
                store = nil
                if backoff.attempts > 0 || !error.isTransient {
                    log.error("schedules cannot be read or written, retrying", metadata: ["error": "\(error)"])
                }
                let pause = backoff.next()
                if box.wait(atMost: pause, for: { $0.isStopped ? true : nil }) != nil { return nil }
            }
        }
    }

    private func perform(
        _ job: ScheduleStoreJob,
        _ store: PostgresScheduleStore
    ) throws(PostgresError) -> ScheduleStoreOutcome {
        switch job {
        case .write(let writes):
            let conflicts = try store.write(writes.map { PostgresScheduleStore.FoundBy(write: $0, values: values($0)) })
            return .written(writes, conflicts: conflicts)
        case .load(let names): return .loaded(names, try store.load(names))
        case .loadDue(let load): return .loadedDue(load, try store.load(load))
        }
    }

    /// What a schedule is found by: its search attributes, and whether it is paused.
    private func values(_ write: ScheduleWrite) -> [SearchValue] {
        guard write.changesAttributes, let record = write.record,
            let catalog = namespaces.namespace(numbered: record.namespace)?.searchAttributes
        else { return [] }
        var values: [SearchValue] = []
        if let given = try? record.searchAttributes?.decoded() {
            for (attribute, value) in catalog.values(of: given) where attribute.name != Self.pausedName {
                values += SearchValue.values(of: attribute, value)
            }
        }
        if let paused = catalog[Self.pausedName] { values += SearchValue.values(of: paused, .bool(record.isPaused)) }
        return values
    }

    private static let pausedName = "TemporalSchedulePaused"
}
