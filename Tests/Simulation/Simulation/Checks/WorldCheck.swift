internal import SagamoreEngine
internal import SagamoreHistoryService
internal import SagamorePersistence
internal import SagamoreServices
internal import SagamoreSimulatedDatabase

/// Looks at a server and its database from time to time: nothing that has to happen is forgotten.
///
/// - `memory`: a run in memory without anything on its way equals its rows.
/// - `forgotten-run`: a run whose row says that it is in memory is there.
/// - `forgotten-alarm`: a run out of memory is back when its alarm is due.
/// - `forgotten-deadline`: a deadline of a run in memory is met, once the lane of its shard is not full.
/// - `forgotten-task`: a task that is due waits in Matching or in the backlog.
///
/// What is on its way between two places is in neither for a moment, so the last four are findings only when several
/// looks in a row find the same.
struct WorldCheck {
    /// What was found, by run, and in how many looks in a row.
    private var suspicions: [Suspicion: Int] = [:]

    private struct Suspicion: Hashable {
        let check: String
        let run: RunID
        let detail: Int64
    }

    /// The number of looks at a run.
    private(set) var looks = 0

    /// How many looks in a row have to find the same. A loader that reads a run or two at a time needs long.
    var patience = 6

    /// Forgets what was found: a server has started, or the database was away.
    mutating func reset() { suspicions = [:] }

    /// - Parameters:
    ///   - now: by the server's clock.
    ///   - samples: picks some of the runs whose memory is compared with the rows.
    mutating func look(
        at server: SimulatedServer,
        _ database: SimulatedDatabase,
        samples: (Int) -> Bool
    ) throws(Violation) {
        // One that was paused may not know yet that it lost its shards.
        let isOwner = database.shards.allSatisfy { $0.owner == server.ownerName }
        guard isOwner, server.isReady, let history = server.history else { return reset() }
        let held = server.heldTasks
        var found: [Suspicion: Int] = [:]
        func suspect(_ check: String, _ run: RunID, _ detail: Int64, isExcused: Bool = false) {
            let suspicion = Suspicion(check: check, run: run, detail: detail)
            found[suspicion] = (suspicions[suspicion] ?? 0) + (isExcused ? 0 : 1)
        }
        let now = server.wallClock
        for (runID, alarm) in database.alarms {
            guard let key = alarm.open, let row = database.run(runID), row.status == .running else { continue }
            looks += 1
            guard let run = history.inspect(runID, of: key) else {
                if let at = alarm.at {
                    if at <= now { suspect("forgotten-alarm", runID, at.nanoseconds) }
                } else {
                    suspect("forgotten-run", runID, 0)
                }
                continue
            }
            if let deadline = run.nextDeadline, deadline <= now {
                // Late work waits while the lane is full. What is not refused then (commands, workers' answers, tasks
                // that are paged out) may keep a slow lane full for long. Such a look does not count, but those before
                // it still do.
                suspect("forgotten-deadline", runID, deadline.nanoseconds, isExcused: run.isLaneFull)
            }
            // A workflow task is offered when it is committed, and a commit may wait for a lock.
            for task in run.dueTasks where run.isCommitted && !held.contains(where: { $0.isSame(as: task) }) {
                suspect("forgotten-task", runID, task.number)
            }
            // Its row may have been there before the run was loaded.
            if run.isCommitted, !run.pagedOut.isEmpty {
                let rows = Set(database.backlog(of: runID).map(\.key.task))
                for task in run.pagedOut where !rows.contains(task) { suspect("forgotten-task", runID, task) }
            }
            if run.isCommitted, samples(looks) { try compare(run, row, database) }
        }
        suspicions = found
        let certain = found.filter { $0.value >= patience }.keys
        if let first = certain.min(by: { ($0.run, $0.check) < ($1.run, $1.check) }) {
            throw Violation(first.check, "run \(first.run), \(first.detail)")
        }
    }

    private func compare(_ run: InspectedRun, _ row: RunRow, _ database: SimulatedDatabase) throws(Violation) {
        let snapshot = database.snapshot(of: row.runID)
        var parts: [JournalPart] = snapshot.map { [.snapshot($0)] } ?? []
        for journal in database.journal(of: row.runID) where journal.sequence > snapshot?.sequence ?? 0 {
            parts.append(.row(journal))
        }
        let stored: DurableState
        do {
            stored = try HistoryService.state(of: row, from: parts)
        } catch {
            throw Violation("memory", "run \(row.runID) cannot be rebuilt from its rows: \(error)")
        }
        guard stored == run.state else {
            throw Violation(
                "memory",
                "run \(row.runID) in memory differs from its rows after \(run.sequence) transitions"
            )
        }
    }
}

extension MatchingTask {
    /// A number that tells tasks of a run apart.
    fileprivate var number: Int64 {
        switch kind {
        case .workflow(let stamp, _): stamp.scheduledEventID << 8 | Int64(stamp.attempt & 0xFF)
        case .activity(let scheduledEventID, let attempt): -(scheduledEventID << 8 | Int64(attempt & 0xFF))
        case .query(let number, _): Int64(truncatingIfNeeded: number)
        }
    }

    /// Whether both are the same, sticky or not.
    fileprivate func isSame(as other: MatchingTask) -> Bool {
        runID == other.runID && number == other.number
    }
}
