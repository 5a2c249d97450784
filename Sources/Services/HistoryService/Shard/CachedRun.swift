internal import SagamoreAPI
internal import SagamoreEngine
internal import SagamorePersistence
internal import SagamoreServices

/// A run in memory. Changed in place, under its shard's lock.
///
/// Unchecked: everything but `key` and `runID`, which never change, is used under the shard's lock.
final class CachedRun: IdleCandidate, @unchecked Sendable {
    /// Whether the run is in memory, and what its alarm row says about that.
    enum Residence {
        /// The run is in memory. Its alarm row says so, or will with the run's first row.
        ///
        /// Can transition to: `parking`, `dead`.
        case active
        /// The run is in memory, while its alarm row says, or may say, that it is not: the run was just loaded, or is
        /// about to leave. The next row of the run sets the alarm back.
        ///
        /// Can transition to: `active`, `left`, `dead`.
        case parking
        /// The run is out of memory: nothing finds it any more. Terminal.
        case left
        /// A commit of the run failed, so what is here never happened: the run is loaded anew. Terminal.
        case dead

        var isInMemory: Bool { self == .active || self == .parking }
    }

    /// Without the runtime's check of exclusive access: the shard's lock gives it, and every entry would pay for the
    /// check.
    @exclusivity(unchecked) var execution: SagamoreEngine.Execution
    // Apart from it, for those who ask without the lock.
    let key: WorkflowKey
    let runID: RunID
    /// The number of its last transition.
    var sequence: Int64
    /// Encoded frames of the events after the last completed workflow task's Started: what a sticky worker has not
    /// seen. Nil when it grew too large to keep.
    var tail: [UInt8]?
    /// The room that the tail of a loaded run takes.
    var tailClaim: TailClaim?
    /// The frame of the close event; empty while the run is open.
    var lastFrame: [UInt8] = []
    /// When the state is written beside the journal.
    var snapshots = SnapshotSchedule()
    /// Items on their way to the database. A run without any is stored: its first row counts as well.
    var uncommitted = 0 {
        didSet { precondition(uncommitted >= 0, "more items of a run have ended than began") }
    }
    /// What of its history is committed.
    private(set) var committed: CommittedHistory
    private(set) var residence: Residence
    /// Tasks that wait in the backlog, with the queue of each. A row is stored, or on its way; paging it in offers the
    /// task again.
    private(set) var pagedOut: [Int64: TaskQueueKey] = [:]
    /// There may be rows of it in the backlog that are not known here: it was loaded, or had one.
    private(set) var mayHaveBacklog: Bool
    /// The earliest deadline that the shard's timer knows of.
    var armed = ArmedDeadline()
    var idle: IdleMark
    /// The last time in which reports of this run's workers were lost, beside those of the whole shard.
    var workerOutage = WorkerOutage.none
    let startRequestID: String
    var heartbeatRows = HeartbeatRows()

    static let tailLimit = 256 << 10

    init(
        _ execution: SagamoreEngine.Execution,
        sequence: Int64,
        startRequestID: String,
        isStored: Bool,
        at now: Instant
    ) {
        self.execution = execution
        key = execution.key
        runID = execution.runID
        self.sequence = sequence
        self.startRequestID = startRequestID
        // What the alarm row of a loaded run says is not known: to set it to active once more does no harm.
        residence = isStored ? .parking : .active
        idle = IdleMark(touchedAt: now)
        mayHaveBacklog = isStored
        tail = []
        committed = CommittedHistory()
    }

    // MARK: Commits

    /// All that is here was read from the database.
    func noteRead() {
        committed = CommittedHistory(execution)
    }

    /// A transition of the run is committed, after which its history was this.
    func noteCommitted(_ history: CommittedHistory) {
        committed.advance(to: history)
    }

    // MARK: Residence

    var isDead: Bool { residence == .dead }
    var hasLeft: Bool { residence == .left }
    var isOpen: Bool { execution.isRunning }

    /// A row is on its way that sets the alarm: to active, or to the time at which the run has to be back in memory.
    func alarmIsSet(isActive: Bool) {
        precondition(residence.isInMemory, "the alarm of a run that is \(residence) is set by its next owner")
        residence = isActive ? .active : .parking
    }

    /// All of the run is stored, and its alarm brings it back.
    func leaveMemory() {
        precondition(residence == .parking && uncommitted == 0, "a run that is \(residence) would be lost")
        residence = .left
    }

    /// A commit of the run failed.
    func die() {
        precondition(residence != .left, "a run that is out of memory has nothing to commit")
        residence = .dead
    }

    // MARK: State

    /// The run has ended, and owes something.
    var isDebtor: Bool { execution.durable.life == .closedWithDebts }

    /// The run as lists show it.
    var row: RunRow {
        let state = execution.durable
        return RunRow(
            runID: runID,
            key: key,
            workflowType: state.workflowType,
            taskQueue: state.taskQueue,
            startRequestID: startRequestID,
            status: state.status,
            startedAt: state.startedAt,
            closedAt: state.closedAt,
            historyLength: state.lastEventID,
            historyBytes: state.historyBytes
        )
    }

    /// Applies entries, keeps the tail, and returns the encoded row of the journal; empty parts where nothing is
    /// durable.
    func apply(_ entries: [Entry]) -> (events: [UInt8], facts: [UInt8], firstEventID: Int64) {
        var events: [UInt8] = []
        var facts: [UInt8] = []
        let firstEventID = execution.nextEventID
        let previousStarted = execution.durable.previousStartedEventID
        var ends: [(id: Int64, end: Int)] = []
        for entry in entries {
            do throws(InvalidEntry) {
                try execution.applyValidated(entry)
            } catch {
                // What is stored with it could not be read again.
                fatalError("a decision does not fit its run: \(error.reason)")
            }
            switch entry {
            case .event(let recorded):
                events += recorded.frame
                ends.append((recorded.event.eventID, events.count))
                if !execution.isRunning { lastFrame = recorded.frame }
            case .fact(let recorded): facts += recorded.frame
            case .volatile: break
            }
        }
        if execution.durable.previousStartedEventID != previousStarted {
            // What the worker saw ends with the Started event, which was written just now.
            let started = execution.durable.previousStartedEventID
            let seen = ends.last(where: { $0.id <= started })?.end ?? 0
            tail = Array(events[seen...])
            tailClaim = nil
        } else if !events.isEmpty {
            tail?.append(contentsOf: events)
        }
        if let tail, tail.count > Self.tailLimit {
            self.tail = nil
            tailClaim = nil
        }
        return (events, facts, firstEventID)
    }

    /// Decides on the execution in place: a call of one of its methods through the property copies it as a whole.
    func decide(
        _ body: (inout SagamoreEngine.Execution) throws(RequestError) -> Decision
    ) throws(RequestError) -> Decision {
        try body(&execution)
    }

    /// The tasks that are due and in nobody's hands, later attempts of activities too.
    func waitingTasks(at now: Instant) -> [TaskOffer] {
        guard execution.isRunning else { return [] }
        let retries = execution.durable.activities.values.filter {
            !$0.isStarted && $0.attempt > 1 && $0.attemptScheduledAt <= now
        }
        return execution.dueTasks()
            + retries.sorted { $0.scheduledEventID < $1.scheduledEventID }.map {
                .activity(taskQueue: $0.taskQueue, scheduledEventID: $0.scheduledEventID, attempt: $0.attempt)
            }
    }

    /// Since when a task is due: that is its place in a backlog, however often it comes and goes.
    func dueSince(_ kind: MatchingTask.Kind) -> Instant? {
        switch kind {
        case .workflow: execution.durable.workflowTask?.scheduledAt
        case .activity(let id, _): execution.durable.activities[id]?.attemptScheduledAt
        case .query: nil
        }
    }

    /// A row of a task is on its way into the backlog.
    func pageOut(_ id: Int64, for queue: TaskQueueKey) {
        pagedOut[id] = queue
        mayHaveBacklog = true
    }

    /// What becomes of a row of the backlog when its queue has room.
    enum PageIn: Equatable {
        /// The task was offered since the run was loaded, or is out of date: the row goes.
        case remove
        /// The task is offered, and the row goes.
        case offer(TaskOffer)
        /// A newer row of the task, for another queue, replaces it.
        case keep
    }

    /// The queue of a row has room.
    func pageIn(_ id: Int64, for queue: TaskQueueKey, at now: Instant) -> PageIn {
        guard let stored = pagedOut[id] else { return .remove }
        guard stored == queue else { return .keep }
        pagedOut[id] = nil
        let offer = waitingTasks(at: now).first { $0.backlogID == id && $0.queue(in: key.namespace) == queue }
        return offer.map { .offer($0) } ?? .remove
    }

    /// Whether all that is due waits in the backlog, so that a page will bring it back.
    func isAllPagedOut(at now: Instant) -> Bool {
        waitingTasks(at: now).allSatisfy { pagedOut[$0.backlogID] == $0.queue(in: key.namespace) }
    }

    /// Whether it may leave memory: recovery would have to re-create nothing for it there, or only what waits in
    /// the backlog.
    func canLeave(at now: Instant, horizon: Interval, _ queries: QueryTable) -> Bool {
        guard execution.isRunning, uncommitted == 0, !queries.isBound(to: runID),
            execution.volatile.startedTask == nil, execution.durable.bufferedEvents.isEmpty,
            execution.volatile.heartbeats.isEmpty
        else { return false }
        if let next = execution.nextDeadline, next <= now + horizon { return false }
        if !pagedOut.isEmpty { return isAllPagedOut(at: now) }
        return execution.durable.workflowTask == nil
            && execution.durable.activities.values.allSatisfy { $0.isStarted || $0.attemptScheduledAt > now }
    }
}

extension TaskOffer {
    /// Which of its run's tasks it is, in the backlog.
    var backlogID: Int64 {
        switch self {
        case .workflow: 0
        case .activity(_, let scheduledEventID, _): scheduledEventID
        }
    }

    /// The task as Matching gets it.
    func task(of run: CachedRun) -> MatchingTask {
        let kind: MatchingTask.Kind =
            switch self {
            case .workflow(_, let stickyQueue, let stamp): .workflow(stamp, isSticky: !stickyQueue.isEmpty)
            case .activity(_, let id, let attempt): .activity(scheduledEventID: id, attempt: attempt)
            }
        return MatchingTask(queue: queue(in: run.key.namespace), key: run.key, runID: run.runID, kind: kind)
    }

    /// The queue in which the task waits for a poll.
    func queue(in namespace: Int32) -> TaskQueueKey {
        switch self {
        case .workflow(let queue, let stickyQueue, _):
            TaskQueueKey(namespace: namespace, name: stickyQueue.isEmpty ? queue : stickyQueue, kind: .workflow)
        case .activity(let queue, _, _):
            TaskQueueKey(namespace: namespace, name: queue, kind: .activity)
        }
    }
}
