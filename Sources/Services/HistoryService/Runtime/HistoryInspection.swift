package import SagamoreEngine
package import SagamorePersistence
package import SagamoreServices

/// What a shard's memory holds of an open run, for the checks of a simulation.
package struct InspectedRun {
    /// The number of its last transition.
    package let sequence: Int64
    /// Whether nothing of it is on its way to the database.
    package let isCommitted: Bool
    /// Everything that its journal holds.
    package let state: DurableState
    /// Tasks that are due, that no worker has started, and that do not wait in the backlog.
    package let dueTasks: [MatchingTask]
    /// The ids in the backlog of the other due tasks.
    package let pagedOut: [Int64]
    /// The earliest deadline; nil if there is none.
    package let nextDeadline: Instant?
    /// Whether the lane of its shard is full: then late work waits, as new requests do.
    package let isLaneFull: Bool
}

extension HistoryService {
    /// A run in memory; nil where it is not there.
    package func inspect(_ runID: RunID, of key: WorkflowKey) -> InspectedRun? {
        let shard = current.withLock { $0 }.shard(of: key)
        return shard.inspect {
            guard let run = shard.state.runs[key]?.cached, run.runID == runID else { return nil }
            let waiting = run.waitingTasks(at: shard.clock())
            let due = waiting.filter { run.pagedOut[$0.backlogID] == nil }
            return InspectedRun(
                sequence: run.sequence,
                isCommitted: run.uncommitted == 0,
                state: run.execution.durable,
                dueTasks: due.map { $0.task(of: run) },
                pagedOut: waiting.map(\.backlogID).filter { run.pagedOut[$0] != nil },
                nextDeadline: run.execution.nextDeadline,
                isLaneFull: shard.lane.count >= shard.configuration.laneQueueLimit
            )
        }
    }

    /// The bytes of history that the loaded runs of each shard keep for workers.
    package func inspectTails() -> [Int] {
        current.withLock { $0 }.shards.map { shard in
            shard.inspect {
                shard.state.runs.contexts.values.reduce(0) { $0 + ($1.cached?.tailClaim?.bytes ?? 0) }
            }
        }
    }

    /// Lets every run leave memory that may, however busy it is: what a server short of memory would do.
    package func pushRunsOut() {
        for shard in current.withLock({ $0 }).shards { shard.pushRunsOut() }
    }

    /// The state of a run, rebuilt from what the database holds of it.
    ///
    /// - Parameter parts: its snapshot, if it has one, and the rows of its journal behind that.
    package static func state(of row: RunRow, from parts: [JournalPart]) throws -> DurableState {
        var replay = JournalReplay(row, at: row.startedAt)
        for part in parts { try replay.apply(part) }
        return replay.run.execution.durable
    }
}

extension Shard {
    fileprivate func pushRunsOut() {
        perform {
            guard state.ownership.isOwned, !state.ownership.isStalled, obstacle() == nil, !isLaneHalfFull else {
                return
            }
            let (now, horizon) = (clock(), configuration.alarmHorizon)
            let contexts = state.runs.contexts.values.sorted { $0.key.precedes($1.key) }
            for context in contexts {
                guard let run = context.cached, !run.isDead,
                    run.canLeave(at: now, horizon: horizon, state.queries, state.debts)
                else { continue }
                let item = LaneItem(context: context, run: run)
                leave(run, in: context, until: run.alarm(at: now) ?? .distantFuture, with: item)
            }
        }
    }
}
