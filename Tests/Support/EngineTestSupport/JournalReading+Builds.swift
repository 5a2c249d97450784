internal import SagamoreAPI
internal import SagamoreEngine

/// What the journal says of the builds that have worked on the run.
extension JournalReading {
    /// The 20 newest, each with what is noted of its first task.
    var builds: [WorkerBuild] {
        var builds: [WorkerBuild] = []
        for (index, entry) in entries.enumerated() {
            guard case .event(let recorded) = entry,
                case .workflowTaskCompletedEventAttributes(let completed) = recorded.event.attributes
            else { continue }
            let name = name(completed)
            guard !builds.contains(where: { ($0.id, $0.binaryChecksum) == name }) else { continue }
            builds.append(
                WorkerBuild(
                    id: name.id,
                    binaryChecksum: name.checksum,
                    completedEventID: recorded.event.eventID,
                    completedAt: recorded.event.eventTime.map(Instant.init) ?? .distantPast,
                    isResettable: !isOthersPending(before: index)
                )
            )
        }
        return builds.suffix(20)
    }

    /// The names of the last one, where there is one.
    var latestBuild: (id: String, checksum: String)? {
        for recorded in events.reversed() {
            if case .workflowTaskCompletedEventAttributes(let completed) = recorded.event.attributes {
                return name(completed)
            }
        }
        return nil
    }

    private func name(_ completed: WorkflowTaskCompletedEventAttributes) -> (id: String, checksum: String) {
        (completed.workerVersion?.buildID ?? "", completed.binaryChecksum)
    }

    /// Whether a child, a signal or a cancel request has no outcome in the first entries, buffered ones included.
    private func isOthersPending(before index: Int) -> Bool {
        var pending: Set<Int64> = []
        for entry in entries[..<index] {
            switch entry {
            case .event(let recorded):
                switch recorded.event.eventType {
                case .startChildWorkflowExecutionInitiated, .signalExternalWorkflowExecutionInitiated,
                    .requestCancelExternalWorkflowExecutionInitiated:
                    pending.insert(recorded.event.eventID)
                default: if let ended = recorded.event.outcomeOf { pending.remove(ended) }
                }
            case .fact(let recorded):
                if case .eventBuffered(let event) = recorded.fact, let ended = event.outcomeOf { pending.remove(ended) }
            case .volatile: continue
            }
        }
        return !pending.isEmpty
    }
}
