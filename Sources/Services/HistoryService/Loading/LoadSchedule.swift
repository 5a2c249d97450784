internal import SagamoreEngine
internal import SagamorePersistence
internal import SagamoreServices

/// What a loader is asked to read.
enum LoadJob {
    /// The waiters of a context want its current run, or their commands looked up.
    case workflow(WorkflowContext)
    /// One run by its id, as lists know it.
    case run(RunID, @Sendable (Result<RunRow?, RequestError>) -> Void)
    /// Something else to read; it gets the store, in the loader's turn.
    case read((any LoaderStore) throws(CommitError) -> Void, failed: @Sendable (RequestError) -> Void)
    /// One closed run that may owe something, by its id.
    case debtor(RunID)
    /// A closed run, to be looked at and forgotten.
    case closedRun(RunRow, failed: @Sendable (RequestError) -> Void, done: @Sendable (CachedRun) -> Void)
    /// The next page of journals of a load that did not fit in one turn.
    case journals
    /// Bring the parked runs back whose alarm is near, those behind the given alarm.
    case wakeParked(after: (Instant, RunID)?)
    /// The shard was taken: bring its active runs back, a page of them, those after this one.
    case recover(after: RunID?, count: Int)
    /// Bring back runs that wait for room in a task queue; told whether more wait.
    case pageIn(TaskQueueKey, limit: Int, done: @Sendable (_ isMoreWaiting: Bool) -> Void)
    /// Delete a part of what is past its retention.
    case retain

    fileprivate var kind: LoadSchedule.Kind {
        switch self {
        case .workflow: .workflows
        case .run: .runs
        case .read, .closedRun: .reads
        case .debtor: .debtors
        case .journals: .journals
        case .wakeParked: .alarms
        case .recover: .recovery
        case .pageIn: .backlogs
        case .retain: .retention
        }
    }
}

/// Decides which job a loader carries out next. Each kind of job has its turn, and a turn is short: a bounded number of
/// lookups, one page. So nobody waits behind a large load or a long backlog of another kind. Retention waits until
/// nothing else is due, but not for ever.
struct LoadSchedule {
    enum Kind: Int, CaseIterable {
        case workflows, runs, debtors, reads, journals, alarms, recovery, backlogs, retention

        /// How many jobs are carried out together.
        var batchLimit: Int {
            switch self {
            case .workflows, .runs, .debtors: 256
            case .reads, .journals, .alarms, .recovery, .backlogs, .retention: 1
            }
        }

        /// It brings runs back that nobody asked for; each may have something to commit.
        var bringsRunsBack: Bool {
            switch self {
            case .debtors, .alarms, .recovery, .backlogs: true
            case .workflows, .runs, .reads, .journals, .retention: false
            }
        }
    }

    enum Step {
        /// Jobs of one kind.
        case turn([LoadJob])
        /// Nothing is due until then; nil: until a job is added.
        case wait(until: Instant?)
    }

    /// Turns of other jobs that may come before retention.
    static let retentionPatience = 8
    /// How long to wait before the lane's queue is looked at again.
    static let lanePause = Interval.milliseconds(20)

    private struct Entry {
        let job: LoadJob
        let notBefore: Instant
    }

    private var queues = Kind.allCases.map { _ in [Entry]() }
    /// The kind that had the last turn.
    private var last = Kind.retention
    private var turnsBeforeRetention = 0

    var count: Int { queues.reduce(0) { $0 + $1.count } }

    /// What time asks for again and again waits once: more would pile up while the database is away.
    mutating func add(_ job: LoadJob, notBefore: Instant = .distantPast) {
        let kind = job.kind
        if kind == .alarms || kind == .retention, !queues[kind.rawValue].isEmpty { return }
        queues[kind.rawValue].append(Entry(job: job, notBefore: notBefore))
    }

    /// - Parameter isLaneFull: much waits to be committed; runs that nobody asked for stay where they are.
    mutating func next(at now: Instant, isLaneFull: Bool) -> Step {
        let isRetentionDue = isDue(.retention, now)
        if isRetentionDue, turnsBeforeRetention >= Self.retentionPatience { return take(.retention, now) }
        var wake: Instant?
        for distance in 1...Kind.allCases.count {
            guard let kind = Kind(rawValue: (last.rawValue + distance) % Kind.allCases.count),
                let first = queues[kind.rawValue].first, kind != .retention
            else { continue }
            if first.notBefore > now {
                wake = min(wake ?? .distantFuture, first.notBefore)
            } else if kind.bringsRunsBack, isLaneFull {
                wake = min(wake ?? .distantFuture, now + Self.lanePause)
            } else {
                if isRetentionDue { turnsBeforeRetention += 1 }
                return take(kind, now)
            }
        }
        return isRetentionDue ? take(.retention, now) : .wait(until: wake)
    }

    private func isDue(_ kind: Kind, _ now: Instant) -> Bool {
        queues[kind.rawValue].first.map { $0.notBefore <= now } ?? false
    }

    private mutating func take(_ kind: Kind, _ now: Instant) -> Step {
        let taken = queues[kind.rawValue].prefix(kind.batchLimit).prefix { $0.notBefore <= now }
        queues[kind.rawValue].removeFirst(taken.count)
        last = kind
        if kind == .retention { turnsBeforeRetention = 0 }
        return .turn(taken.map(\.job))
    }
}
