internal import SagamoreEngine
internal import SagamoreLogging
internal import SagamorePersistence
internal import SagamoreServices

/// What a lane answers to those whose items it had.
extension CommitLane {
    func release(_ items: ArraySlice<LaneItem>, outboxRecords: Int) {
        shard.perform {
            shard.deferred.release(items)
            for item in items {
                item.noteCommitted()
                // Also of an item without rows: it may have been the last that others waited behind.
                guard let slot = item.slot else { continue }
                for news in shard.runs.takeNews(in: slot) { shard.deferred.call(news) }
                if item.endsDebts, let run = item.run { slot.state.forgetDebtor(run) }
                if item.closing != nil || item.run == nil || item.endsDebts { shard.dropIfUnused(slot) }
            }
        }
        if outboxRecords > 0 { onOutboxGrowth(shard.id) }
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
            default: .other
            }
        if reason == .other {
            log.error(
                "a transition can not be stored and is refused",
                metadata: ["run": item.run?.runID.description ?? "", "error": error.description]
            )
        }
        let state = error.sqlState.isEmpty ? "" : " (SQLSTATE \(error.sqlState))"
        return LaneFailure(RequestError(.internalError, "this can not be stored\(state); it was refused"), reason)
    }

    private func refuse(_ item: LaneItem, _ failure: LaneFailure) {
        shard.perform {
            item.countUncommitted(-1)
            // What was replaced goes on as it is stored, when it is loaded anew.
            if let replaced = item.ending?.run { shard.kill(replaced, in: item.slot) }
            if let run = item.run { shard.kill(run, in: item.slot) }
            if let inbox = item.inbox, failure.reason != .knownCommand {
                shard.recentCommands.remove(LookUp(key: inbox.key, commandID: inbox.commandID))
            }
            if let slot = item.slot, item.run == nil { shard.dropIfUnused(slot) }
            shard.deferred.call { item.refuse?(failure) }
        }
    }

    // MARK: The log

    func tell(_ report: LaneReport) {
        var metadata = ["shard": "\(shard.id)"]
        switch report {
        case .notTakenYet(let reason):
            metadata["reason"] = reason
            log.warning("shard can not be taken yet", metadata: metadata)
        case .away(let reason):
            metadata["error"] = reason
            log.warning("PostgreSQL can not be reached or refuses commits, retrying", metadata: metadata)
        case .misconfigured(let reason):
            metadata["error"] = reason
            log.error(
                """
                PostgreSQL refuses every commit, retrying until the schema and its grants are as 'sagamore migrate' \
                makes them; nothing is lost
                """,
                metadata: metadata
            )
        case .split(let count, let reason):
            metadata["items"] = "\(count)"
            metadata["error"] = reason
            log.warning("PostgreSQL can not commit this much at once, splitting the batch", metadata: metadata)
        case .back(let epoch):
            metadata["epoch"] = "\(epoch)"
            log.info("PostgreSQL takes commits again", metadata: metadata)
        }
    }

    func tell(_ end: LaneEnd) {
        var metadata = ["shard": "\(shard.id)"]
        switch end {
        case .stopped: break
        case .stoppedWhileAway:
            log.warning("stopped while PostgreSQL could not be reached: what waited is refused", metadata: metadata)
        case .takenByAnother:
            log.error("shard lost to another owner; this node drops it", metadata: metadata)
        case .wentBack(let known, let found):
            metadata["commits_seen"] = "\(known.commitCount)"
            metadata["epoch_seen"] = "\(known.epoch)"
            if let found { metadata["commits_found"] = "\(found.commitCount)" }
            log.error(
                "the database lost commits that this node saw (a standby took over?); this node drops the shard",
                metadata: metadata
            )
        }
    }
}
