internal import SagamoreAPI
internal import SagamoreEngine
internal import SagamorePersistence
internal import SagamoreServices

/// A run in memory, changed in place.
///
/// Unchecked: `key` and `runID` never change. Everything else is used under the shard's lock.
final class CachedRun: IdleCandidate, @unchecked Sendable {
    /// Whether the run is in memory, and what its alarm row says about that.
    enum Residence {
        /// The run is in memory. Its alarm row says so, or will once the run's first row is stored.
        ///
        /// Can transition to: `parking`, `dead`.
        case active
        /// The run is in memory, but its alarm row may say that it is not: the run was just loaded, or is about to
        /// leave. The run's next row resets the alarm.
        ///
        /// Can transition to: `active`, `left`, `dead`.
        case parking
        /// The run is out of memory, and nothing refers to it. Terminal.
        case left
        /// A commit of the run failed, so this state never happened. The run is reloaded. Terminal.
        case dead

        var isInMemory: Bool { self == .active || self == .parking }
    }

    /// The runtime's check of exclusive access is off: the shard's lock guarantees it, and every entry would pay for
    /// the check.
    @exclusivity(unchecked) var execution: SagamoreEngine.Execution
    // Copies, for readers without the lock.
    let key: WorkflowKey
    let runID: RunID
    /// The number of the run's last transition.
    var sequence: Int64
    /// The frames of the events that a sticky worker has not seen: those after the Started event of the last completed
    /// workflow task. Nil if they grew too large to keep.
    var tail: [UInt8]?
    /// The loaded run's share of the budget for tails.
    var tailClaim: TailClaim?
    /// The frame of the close event; empty while the run is open.
    var lastFrame: [UInt8] = []
    /// Decides when to write a snapshot.
    var snapshots = SnapshotSchedule()
    /// Items that are queued or being committed. If there are none, all of the run is stored, its first row included.
    var uncommitted = 0 {
        didSet { precondition(uncommitted >= 0, "more items of a run have ended than began") }
    }
    /// How much of the history is committed.
    private(set) var committed: CommittedHistory
    private(set) var residence: Residence
    /// Tasks that wait in the backlog, with the queue of each. Their rows are stored or queued. Paging a row in offers
    /// the task again.
    private(set) var pagedOut: [Int64: TaskQueueKey] = [:]
    /// The backlog may have rows of the run that are not listed here, because the run was loaded or had one before.
    private(set) var mayHaveBacklog: Bool
    /// What the database holds of a run that had left memory; nil once something of it was written again, or if it
    /// never left.
    private var absence: Absence?
    /// The earliest deadline that the shard's timer knows of.
    var armed = ArmedDeadline()
    var idle: IdleMark
    /// The last outage of this run alone, in which its workers' reports were lost.
    var workerOutage = WorkerOutage.none
    let startRequestID: String
    /// The run's deletion is queued or stored: nobody may see the run.
    var isDeleted = false
    var heartbeatRows = HeartbeatRows()
    /// Lists show that it compensates. Where the run was loaded since, that is written once more.
    var isCompensating = false
    /// Resets that need to know of later events. Nobody else keeps them.
    private var watches: [WeakWatch] = []

    private struct WeakWatch {
        weak var watch: EventWatch?
    }

    /// With what a run has left memory.
    private struct Absence {
        let alarm: Instant
        /// The tasks that have rows in the backlog, by their ids there.
        let tasks: Set<Int64>
    }

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
        // The alarm row of a loaded run may say anything. Setting it to active again does no harm.
        residence = isStored ? .parking : .active
        idle = IdleMark(touchedAt: now)
        mayHaveBacklog = isStored
        tail = []
        committed = CommittedHistory()
    }

    /// The slice of the run's root: what it and its relatives write is counted there.
    private(set) lazy var familySlice: Int = {
        let root = ask { $0.durable.root?.workflowID }
        return SliceTable.slice(of: root.map { WorkflowKey(namespace: key.namespace, workflowID: $0) } ?? key)
    }()

    // MARK: Commits

    /// The run was read from the database, so all of it is committed.
    func noteRead() {
        committed = CommittedHistory(execution)
    }

    /// A transition is committed. `history` is the run's history after it.
    func noteCommitted(_ history: CommittedHistory) {
        committed.advance(to: history)
    }

    // MARK: Residence

    var isDead: Bool { residence == .dead }
    var hasLeft: Bool { residence == .left }
    var isOpen: Bool { execution.isRunning }

    /// A queued row sets the alarm: to active, or to the time when the run must be back in memory.
    func alarmIsSet(isActive: Bool) {
        precondition(residence.isInMemory, "the alarm of a run that is \(residence) is set by its next owner")
        residence = isActive ? .active : .parking
        absence = nil
    }

    /// The run was loaded, and its alarm row says that it had left memory. A run leaves only when each due task has a
    /// row in the backlog, and its alarm is no later than any retry that is not due. So these need not be written again
    /// if the run leaves unchanged.
    func hasReturned(from alarm: Instant) {
        let activities = execution.durable.activities.values.filter {
            $0.isWaiting && ($0.attempt == 1 || $0.attemptScheduledAt < alarm)
        }
        var tasks = Set(activities.map(\.scheduledEventID))
        if execution.workflowTask != nil { tasks.insert(0) }
        absence = Absence(alarm: alarm, tasks: tasks)
    }

    /// Whether the backlog has a row of this task.
    func isStored(_ id: Int64) -> Bool { absence?.tasks.contains(id) ?? false }

    /// Whether the alarm row says that the run is out of memory until then.
    func isAbsent(until alarm: Instant) -> Bool { absence?.alarm == alarm }

    /// The run leaves memory. All of it is stored, and its alarm brings it back.
    func leaveMemory() {
        precondition(residence == .parking && uncommitted == 0, "a run that is \(residence) would be lost")
        residence = .left
    }

    /// A commit of the run failed.
    func discard() {
        precondition(residence != .left, "a run that is out of memory has nothing to commit")
        residence = .dead
    }

    /// About what each of its tasks keeps in memory while it waits there: a share of the run, which is its state, and
    /// events that its worker has not seen or that are pending.
    var bytesPerTask: Int {
        let bytes = MatchingTask.smallest + min(Int(execution.durable.historyBytes), Self.tailLimit)
        return max(MatchingTask.own, bytes / max(1, execution.durable.activities.count))
    }

    // MARK: State

    /// Whether the run is closed with debts.
    var isDebtor: Bool { life == .closedWithDebts }

    /// The first run of the run's chain.
    var firstRunID: RunID { RunID(execution.durable.firstRunID) ?? runID }

    /// Whether the run's chain begins with this run; any chain will do for nil.
    func belongs(toChainOf firstRunID: String?) -> Bool {
        firstRunID.map { execution.durable.firstRunID == $0.lowercased() } ?? true
    }

    /// The run's row, as lists show it.
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

    /// Applies entries, extends the tail, and returns the encoded journal row. Its parts are empty if no entry is
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
                // A stored journal with this entry could not be read back.
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
        if !watches.isEmpty { tellWatches(entries) }
        if execution.durable.previousStartedEventID != previousStarted {
            // The worker has seen the events up to the Started event that was just written.
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

    /// Collects the events of the run from now on, for as long as the watch lives.
    func watch(_ watch: EventWatch) { watches.append(WeakWatch(watch: watch)) }

    private func tellWatches(_ entries: [Entry]) {
        watches.removeAll { $0.watch == nil }
        for entry in entries {
            guard case .event(let recorded) = entry else { continue }
            for watch in watches { watch.watch?.note(recorded.event) }
        }
    }

    /// Decides on the execution in place: a call of one of its methods through the property copies it as a whole.
    func decide<Value>(
        _ body: (inout SagamoreEngine.Execution) throws(RequestError) -> Value
    ) throws(RequestError) -> Value {
        try body(&execution)
    }

    /// Asks the execution in place, as `decide` does.
    func ask<Value>(_ body: (inout SagamoreEngine.Execution) -> Value) -> Value { body(&execution) }

    var life: RunLife { ask { $0.durable.life } }

    var extent: RunExtent { ask { RunExtent($0.durable) } }

    /// The tasks that are due and not started, including retries of activities.
    func waitingTasks(at now: Instant) -> [TaskOffer] {
        guard execution.isRunning else { return [] }
        let retries = execution.durable.activities.values.filter {
            $0.isWaiting && $0.number > 1 && $0.attemptScheduledAt <= now
        }
        return execution.dueTasks()
            + retries.sorted { $0.scheduledEventID < $1.scheduledEventID }.map {
                .activity(route: execution.route(of: $0), scheduledEventID: $0.scheduledEventID, attempt: $0.number)
            }
    }

    /// When a task became due. This is its place in a backlog, however often it is paged in and out.
    func dueSince(_ kind: MatchingTask.Kind) -> Instant? {
        switch kind {
        case .workflow: execution.workflowTask?.scheduledAt
        case .activity(let id, _): execution.durable.activities[id]?.attemptScheduledAt
        case .query: nil
        }
    }

    /// A task's row for the backlog is queued.
    func pageOut(_ id: Int64, for queue: TaskQueueKey) {
        pagedOut[id] = queue
        mayHaveBacklog = true
    }

    /// What to do with a row of the backlog when its queue has room.
    enum PageIn: Equatable {
        /// Remove the row. The task is out of date, or was offered after the run was loaded.
        case remove
        /// Offer the task and remove the row.
        case offer(TaskOffer)
        /// Do nothing: a newer row of the task, for another queue, replaces this one.
        case keep
    }

    /// The queue of a row has room.
    func pageIn(_ id: Int64, for queue: TaskQueueKey, at now: Instant) -> PageIn {
        guard let stored = pagedOut[id] else { return .remove }
        guard stored == queue else { return .keep }
        pagedOut[id] = nil
        let offer = waitingTasks(at: now).first { $0.backlogID == id && $0.queue(in: key.namespace) == queue }
        if let offer { return .offer(offer) }
        // The clock may have gone back behind a retry that was due.
        execution.armRetry(of: id)
        return .remove
    }

    /// Whether all due tasks wait in the backlog, so that paging in will offer them.
    func isAllPagedOut(at now: Instant) -> Bool {
        waitingTasks(at: now).allSatisfy { pagedOut[$0.backlogID] == $0.queue(in: key.namespace) }
    }

    /// When the run must be back in memory; nil if nothing is due of it. Where the clock went back behind a retry that
    /// was due, its deadline is gone, and Matching may hold its task.
    func alarm(at now: Instant) -> Instant? {
        let retries = execution.durable.activities.values.filter { !$0.isStarted && $0.attemptScheduledAt > now }
        return ([execution.nextDeadline] + retries.map(\.attemptScheduledAt)).compactMap { $0 }.min()
    }

    /// Whether the run may leave memory: it has no state there that recovery could not rebuild, and no due task outside
    /// the backlog.
    func canLeave(at now: Instant, horizon: Interval, _ queries: QueryTable, _ debts: DebtQueue) -> Bool {
        guard execution.isRunning, uncommitted == 0, !queries.isBound(to: runID), !debts.holds(runID),
            execution.volatile.startedTask == nil, execution.durable.bufferedEvents.isEmpty,
            execution.volatile.heartbeats.isEmpty, execution.volatile.updates.isEmpty
        else { return false }
        let next = alarm(at: now) ?? .distantFuture
        if next <= now + horizon { return false }
        // An attempt whose time has come was offered, and has no deadline any more: if the clock goes back, its time
        // is ahead again, and no alarm would bring the run back for it.
        let sleep = execution.durable.activities.values.allSatisfy { activity in
            !activity.isWaiting || pagedOut[activity.scheduledEventID] != nil
                || activity.attempt > 1 && activity.attemptScheduledAt > now && next <= activity.attemptScheduledAt
        }
        guard sleep else { return false }
        return pagedOut.isEmpty ? execution.workflowTask == nil : isAllPagedOut(at: now)
    }
}

extension TaskOffer {
    /// The id of the task in its run's part of the backlog.
    var backlogID: Int64 {
        switch self {
        case .workflow: 0
        case .activity(_, let scheduledEventID, _): scheduledEventID
        }
    }

    /// The task in the form that Matching takes.
    ///
    /// - Parameter row: where it stood in its queue before it waited in the database.
    func task(of run: CachedRun, from row: BacklogRow? = nil) -> MatchingTask {
        let kind: MatchingTask.Kind =
            switch self {
            case .workflow(_, let stickyQueue, let stamp): .workflow(stamp, isSticky: !stickyQueue.isEmpty)
            case .activity(_, let id, let attempt): .activity(scheduledEventID: id, attempt: attempt)
            }
        return MatchingTask(
            queue: queue(in: run.key.namespace),
            key: run.key,
            runID: run.runID,
            kind: kind,
            priority: priority,
            place: row?.place,
            since: row?.since,
            bytes: run.bytesPerTask
        )
    }

    /// The queue in which the task waits for a poll.
    func queue(in namespace: Int32) -> TaskQueueKey {
        switch self {
        case .workflow(let route, let stickyQueue, _):
            TaskQueueKey(namespace: namespace, name: stickyQueue.isEmpty ? route.queue : stickyQueue, kind: .workflow)
        case .activity(let route, _, _):
            TaskQueueKey(namespace: namespace, name: route.queue, kind: .activity)
        }
    }

    private var priority: TaskPriority {
        switch self {
        case .workflow(let route, _, _), .activity(let route, _, _): route.priority
        }
    }
}
