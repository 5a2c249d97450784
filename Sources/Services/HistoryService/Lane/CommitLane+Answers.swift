internal import SagamoreEngine
internal import SagamoreLogging
internal import SagamorePersistence
internal import SagamoreServices

/// How a lane answers the callers of its items.
extension CommitLane {
    func release(_ items: ArraySlice<LaneItem>, outboxRecords: Int) {
        shard.perform {
            shard.state.deferred.release(items)
            for item in items {
                item.noteCommitted()
                shard.incurDebts(of: item)
                shard.tellUpdates(of: item)
                // Also for an item without rows: it may have been the last one that others waited for.
                guard let context = item.context else { continue }
                for notify in shard.state.runs.takeNotifications(in: context) { shard.state.deferred.call(notify) }
                if item.endsDebts, let run = item.run { context.state.forgetDebtor(run) }
                if item.closing != nil || item.run == nil || item.endsDebts { shard.state.runs.dropIfUnused(context) }
            }
        }
        if outboxRecords > 0 { onOutboxGrowth(shard.id) }
        for item in items {
            if let outcome = item.outcome { tell(outcome) }
            if let outcome = item.ending?.outcome { tell(outcome) }
        }
    }

    private func tell(_ outcome: SagaOutcome) {
        shard.metrics.count(outcome)
        if outcome.isUncompensated { onUncompensated(outcome) }
    }

    func refuse(_ items: [LaneItem], _ refusal: LaneRefusal) {
        for item in items {
            switch refusal {
            case .basisLost: refuse(item, .lost)
            case .culprit(let error): refuse(item, failure(of: item, error))
            }
        }
    }

    private func failure(of item: LaneItem, _ error: PostgresErrorSummary) -> LaneFailure {
        let reason: LaneFailure.Reason =
            switch (error.sqlState, error.constraint) {
            case ("23505", "inbox_commands"): .knownCommand
            case (CommitError.knownWorkflow, _): .knownWorkflow
            case (CommitError.incompleteCopy, _): .baseDeleted
            default: .other
            }
        if reason == .other {
            var metadata = item.context.map { shard.about($0.key, item.run?.runID) } ?? ["shard": "\(shard.id)"]
            metadata["error"] = "\(error)"
            log.error("a transition cannot be stored and was rejected", metadata: metadata)
        }
        let state = error.sqlState.isEmpty ? "" : " (SQLSTATE \(error.sqlState))"
        return LaneFailure(
            RequestError(.internalError, "failed to store the request\(state); nothing was changed"),
            reason
        )
    }

    private func refuse(_ item: LaneItem, _ failure: LaneFailure) {
        shard.perform {
            item.countUncommitted(-1)
            // The replaced run continues from its stored state once it is reloaded.
            if let replaced = item.ending?.run { shard.discard(replaced, in: item.context) }
            if let run = item.run { shard.discard(run, in: item.context) }
            if let inbox = item.inbox, failure.reason != .knownCommand {
                shard.state.recentCommands.remove(LookUp(key: inbox.key, commandID: inbox.commandID))
            }
            if let context = item.context, item.run == nil { shard.state.runs.dropIfUnused(context) }
            shard.state.deferred.call { item.refuse?(failure) }
        }
    }

    // MARK: The log

    func tell(_ report: LaneReport) {
        var metadata: Logger.Metadata = ["shard": "\(shard.id)"]
        switch report {
        case .standby: log.notice("standby: another node has the shard", metadata: metadata)
        case .notTakenYet(let reason):
            metadata["reason"] = "\(reason)"
            log.warning("shard cannot be taken yet", metadata: metadata)
        case .away(let reason):
            metadata["error"] = "\(reason)"
            log.warning("PostgreSQL cannot be reached or rejects commits, retrying", metadata: metadata)
        case .misconfigured(let reason):
            metadata["error"] = "\(reason)"
            log.error(
                """
                PostgreSQL rejects every commit, retrying until the schema and its grants are as 'sagamore migrate' \
                creates them; nothing is lost
                """,
                metadata: metadata
            )
        case .split(let count, let reason):
            metadata["items"] = "\(count)"
            metadata["error"] = "\(reason)"
            log.warning("PostgreSQL cannot commit this much at once, splitting the batch", metadata: metadata)
        case .back(let epoch):
            metadata["epoch"] = "\(epoch)"
            log.info("PostgreSQL accepts commits again", metadata: metadata)
        }
    }

    func tell(_ end: LaneEnd) {
        var metadata: Logger.Metadata = ["shard": "\(shard.id)"]
        switch end {
        case .stopped: break
        case .stoppedWhileAway:
            log.warning("stopped while PostgreSQL was unreachable; queued requests are rejected", metadata: metadata)
        case .takenByAnother:
            log.error("another node took the shard; dropping it", metadata: metadata)
        case .wentBack(let known, let found):
            metadata["commits_seen"] = "\(known.commitCount)"
            metadata["epoch_seen"] = "\(known.epoch)"
            if let found { metadata["commits_found"] = "\(found.commitCount)" }
            log.error(
                "the database lost commits that this node saw (did a standby take over?); dropping the shard",
                metadata: metadata
            )
        }
    }
}
