internal import SagamoreEngine
internal import SagamorePersistence
internal import SagamoreServices

/// A job of a shard's loader.
enum LoadJob {
    /// Load the context's current run, or look up the commands of its waiters.
    case workflow(WorkflowContext)
    /// Read the row of a run by its id.
    case run(RunID, @Sendable (Result<RunRow?, RequestError>) -> Void)
    /// Read something else. The closure gets the store.
    case read((any LoaderStore) throws(CommitError) -> Void, failed: @Sendable (RequestError) -> Void)
    /// Load a closed run that may have debts, by its id.
    case debtor(RunID)
    /// Rebuild a closed run for its readers. It does not stay in memory.
    case closedRun(RunRow)
    /// Read the next page of a load that did not fit in one turn.
    case journals
    /// Bring back the parked runs whose alarms are near, after the given alarm.
    case wakeParked(after: (Instant, RunID)?)
    /// The shard was taken: bring back a page of its active runs, after the given run.
    case recover(after: RunID?, count: Int)
    /// Bring back tasks that wait for room in a task queue.
    case pageIn(TaskQueueKey, limit: Int, done: @Sendable (_ next: TaskPlace?) -> Void)
    /// Erase a part of what is stored of deleted runs.
    case erase
    /// Delete a part of the runs past their retention.
    case retain

    /// Whether another job like it makes it superfluous. The next page of alarms is not: nobody would ask for it again.
    fileprivate var isPeriodic: Bool {
        switch self {
        case .wakeParked(after: nil), .erase, .retain: true
        case .wakeParked, .workflow, .run, .read, .debtor, .closedRun, .journals, .recover, .pageIn: false
        }
    }

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
        case .erase: .erasures
        case .retain: .retention
        }
    }
}

/// Decides which job a loader carries out next. Kinds of jobs take turns, and a turn is short: a bounded number of
/// lookups, or one page. So no job waits for a large load or a long queue of another kind. Retention waits until
/// nothing else is due, but only for a few turns.
struct LoadSchedule {
    enum Kind: Int, CaseIterable {
        case workflows, runs, debtors, reads, journals, alarms, recovery, backlogs, erasures, retention

        /// Whether a turn carries out many of its jobs, with one query.
        var areLookUps: Bool {
            switch self {
            case .workflows, .runs, .debtors: true
            case .reads, .journals, .alarms, .recovery, .backlogs, .erasures, .retention: false
            }
        }

        /// Whether its jobs bring back runs that nobody asked for. Each such run may have something to commit.
        var bringsRunsBack: Bool {
            switch self {
            case .debtors, .alarms, .recovery, .backlogs: true
            case .workflows, .runs, .reads, .journals, .erasures, .retention: false
            }
        }
    }

    enum Step {
        /// Jobs of one kind.
        case turn([LoadJob])
        /// Nothing is due until this time; nil means until a job is added.
        case wait(until: Instant?)
    }

    /// How many turns of other kinds may precede retention.
    static let retentionPatience = 8
    /// How long to wait before the lane's queue is checked again.
    static let lanePause = Interval.milliseconds(20)

    private struct Entry {
        let job: LoadJob
        let notBefore: Instant
    }

    private var queues = Kind.allCases.map { _ in [Entry]() }
    /// The kind that had the last turn.
    private var last = Kind.retention
    private var turnsBeforeRetention = 0
    /// The most lookups of one turn.
    private let lookUps: Int

    init(lookUps: Int = WorkBounds().lookUps) { self.lookUps = lookUps }

    var count: Int { queues.reduce(0) { $0 + $1.count } }

    /// Adds a job. Periodic jobs are queued only once, since they would pile up while the database is away.
    mutating func add(_ job: LoadJob, notBefore: Instant = .distantPast) {
        let kind = job.kind
        if job.isPeriodic, !queues[kind.rawValue].isEmpty { return }
        queues[kind.rawValue].append(Entry(job: job, notBefore: notBefore))
    }

    /// - Parameter isLaneFull: many items wait to be committed, so no runs are brought back that nobody asked for.
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
        let taken = queues[kind.rawValue].prefix(kind.areLookUps ? lookUps : 1).prefix { $0.notBefore <= now }
        queues[kind.rawValue].removeFirst(taken.count)
        last = kind
        if kind == .retention { turnsBeforeRetention = 0 }
        return .turn(taken.map(\.job))
    }
}
