import SagamoreAPI
import SagamoreEngine
import SagamoreProtobuf
import SagamoreServices
import SagamoreSimulatedTime

/// A service in one thread for tests of workers and clients: the engine's decisions, a journal in memory, and queues.
///
/// Unchecked: the whole world runs in one thread.
final class EngineService: @unchecked Sendable {
    let scheduler: Scheduler
    let process = SimulatedProcess("service")
    var random: SeededRandom
    var runs: [RunID: EngineRun] = [:]
    /// All runs in the order of their starts.
    var order: [RunID] = []
    var current: [WorkflowKey: RunID] = [:]
    var queues: [TaskQueueKey: EngineQueue] = [:]
    var queries: [UInt64: EngineQuery] = [:]
    var lastPoll: UInt64 = 0
    var epoch: Int64 = 1
    /// Errors that only a mistake in a worker or in this service explains.
    var refusedCommands: [String] = []
    /// Events in a page of a history.
    var pageLimit = Int.max
    /// A planted bug.
    var bug: EngineBug?
    /// The last activity that was given to a worker, for the bug that gives it to two.
    var lastActivity: AssignedActivityTask?

    init(_ scheduler: Scheduler, seed: UInt64) {
        self.scheduler = scheduler
        random = SeededRandom(seed: seed)
    }

    var now: Instant {
        Instant(nanoseconds: 1_700_000_000_000_000_000) + Interval(nanoseconds: scheduler.now.nanoseconds)
    }

    /// Answers in a later step, as a service does whose answers wait for a commit.
    func later(_ body: @escaping () -> Void) { scheduler.schedule("commit", of: process, body) }

    /// Loses everything but the journals, and starts again.
    func restart() {
        process.kill()
        epoch += 1
        queues = [:]
        queries = [:]
        for id in order {
            guard let run = runs[id] else { continue }
            run.waiters = []
            run.updates = []
            run.restore(losingLast: bug == .lostJournal)
            apply(run.execution.decideRecovery(at: now), to: run)
            for offer in run.execution.dueTasks() { self.offer(offer, of: run) }
            arm(run)
        }
    }

    /// Applies a decision, and does what follows from it.
    func apply(_ decision: Decision, to run: EngineRun) {
        for entry in decision.entries { run.append(entry) }
        for offer in decision.offers { self.offer(offer, of: run) }
        arm(run)
        queryAgain(run)
        tell(decision.updates, of: run)
        let waiters = run.waiters
        if !waiters.isEmpty, decision.entries.contains(where: { if case .event = $0 { true } else { false } }) {
            run.waiters = []
            later { for waiter in waiters { waiter() } }
        }
    }

    private func offer(_ offer: TaskOffer, of run: EngineRun) {
        let namespace = run.key.namespace
        switch offer {
        case .workflow(let route, let sticky, let stamp):
            let name = sticky.isEmpty ? route.queue : sticky
            let key = TaskQueueKey(namespace: namespace, name: name, kind: .workflow)
            let kind = MatchingTask.Kind.workflow(stamp, isSticky: !sticky.isEmpty)
            self.offer(MatchingTask(queue: key, key: run.key, runID: run.id, kind: kind))
        case .activity(let route, let id, let attempt):
            let key = TaskQueueKey(namespace: namespace, name: route.queue, kind: .activity)
            let kind = MatchingTask.Kind.activity(scheduledEventID: id, attempt: attempt)
            self.offer(MatchingTask(queue: key, key: run.key, runID: run.id, kind: kind))
        }
    }

    /// Sees to it that the run's next deadline is decided.
    private func arm(_ run: EngineRun) {
        guard let due = run.execution.nextDeadline, run.armed.map({ due < $0 }) ?? true else { return }
        run.armed = due
        scheduler.schedule("deadline", of: process, after: due - now + Interval(nanoseconds: 1)) { [self] in
            guard run.armed == due else { return }
            run.armed = nil
            while let next = run.execution.nextDeadline, next <= now {
                let decision = run.execution.decideDue(at: now)
                for entry in decision.entries { run.append(entry) }
                run.discardDeadlines(until: now)
                var rest = decision
                rest.entries = []
                apply(rest, to: run)
                later { [self] in wake(run) }
            }
            arm(run)
        }
    }

    private func wake(_ run: EngineRun) {
        let waiters = run.waiters
        run.waiters = []
        for waiter in waiters { waiter() }
    }

    func run(_ reference: WorkflowReference) throws(RequestError) -> EngineRun {
        guard let id = reference.runID ?? current[reference.key], let run = runs[id] else { throw reference.missing }
        return run
    }
}

/// A bug that is planted in the service.
enum EngineBug: CaseIterable {
    /// Signals are acknowledged and not written.
    case lostSignal
    /// The request id of a start is not compared.
    case forgottenRequestID
    /// An attempt is given to two workers.
    case attemptGivenTwice
    /// Completions of activities are acknowledged and not written.
    case lostCompletion
    /// The last entry of each journal is lost with the process.
    case lostJournal
    /// A sticky worker's history lacks its last new event.
    case skippedEvent
    /// Heartbeats are acknowledged and forgotten.
    case forgottenHeartbeat
}

/// One run: its execution, and the journal that outlives a restart.
///
/// Unchecked: the whole world runs in one thread.
final class EngineRun: @unchecked Sendable {
    let key: WorkflowKey
    let id: RunID
    let startRequestID: String
    private(set) var execution: SagamoreEngine.Execution
    private(set) var frames: [[UInt8]] = []
    private var journal: [Entry] = []
    var armed: Instant?
    var waiters: [() -> Void] = []
    var queries: [UInt64] = []
    /// The callers who wait for outcomes of updates.
    var updates: [EngineUpdate] = []

    init(_ key: WorkflowKey, _ id: RunID, startRequestID: String) {
        self.key = key
        self.id = id
        self.startRequestID = startRequestID
        execution = SagamoreEngine.Execution(key: key, runID: id)
    }

    func append(_ entry: Entry) {
        if entry.isDurable { journal.append(entry) }
        if case .event(let event) = entry { frames.append(event.frame) }
        execution.apply(entry)
    }

    func restore(losingLast: Bool) {
        if losingLast, execution.isRunning, journal.count > 1, case .event? = journal.popLast() { frames.removeLast() }
        armed = nil
        queries = []
        execution = SagamoreEngine.Execution(key: key, runID: id)
        for entry in journal { execution.apply(entry) }
        execution.rebuildDeadlines()
    }

    func discardDeadlines(until now: Instant) { execution.discardDeadlines(until: now) }

    var history: [UInt8] { frames.flatMap { $0 } }
}

struct EngineQueue {
    var tasks: [MatchingTask] = []
    var polls: [EnginePoll] = []
}

/// Unchecked: the whole world runs in one thread.
final class EnginePoll: @unchecked Sendable {
    let id: UInt64
    let poller: PollerIdentity
    let workflow: Reply<PolledWorkflowTask>?
    let activity: Reply<AssignedActivityTask?>?

    init(
        _ id: UInt64,
        _ poller: PollerIdentity,
        workflow: Reply<PolledWorkflowTask>? = nil,
        activity: Reply<AssignedActivityTask?>? = nil
    ) {
        self.id = id
        self.poller = poller
        self.workflow = workflow
        self.activity = activity
    }
}

struct EngineQuery {
    let query: WorkflowQuery
    let run: EngineRun
    let reply: Reply<QueryOutcome>
    var isOffered = false
}

private func + (left: Interval, right: Interval) -> Interval {
    Interval(nanoseconds: left.nanoseconds + right.nanoseconds)
}
