internal import SagamoreEngine
internal import SagamorePersistence
internal import SagamoreSimulatedDatabase
internal import SagamoreSimulatedWorkers

/// Checks a world that has come to rest: all runs are closed, owe nothing, and their histories replay.
///
/// - `rest`: nothing is left of a closed run that would be needed by an open one.
/// - `signals`: what one workflow has told another has arrived, once.
/// - `replay`: each history replays, and agrees with what workers and clients know.
struct RestCheck {
    let database: SimulatedDatabase
    let ledgers: Ledgers
    /// Runs may be gone, and others open for ever: an earlier state of the database came back.
    let isHistoryRewritten: Bool

    /// Returns the number of histories that were replayed, by how their sagas ended.
    func check() throws(Violation) -> [String: Int] {
        var ends: [String: Int] = [:]
        var signals = SignalTally()
        for run in database.runs {
            if run.status == .running {
                if isHistoryRewritten { continue }
                throw Violation("rest", "run \(run.runID) of \(run.key.workflowID) is open")
            }
            try checkLeftovers(of: run)
            let outcome = try replay(run)
            ends[Self.name(outcome.state), default: 0] += 1
            signals.add(outcome, of: run.key.workflowID)
        }
        if !isHistoryRewritten, let finding = signals.finding { throw Violation("signals", finding) }
        if !isHistoryRewritten { try checkKnownRuns() }
        return ends
    }

    private static func name(_ state: SagaOutcome.State) -> String {
        switch state {
        case .finished: "finished"
        case .continued: "continued as new"
        case .undone(let wasCancelled): wasCancelled ? "undone after a cancel request" : "undone after a failure"
        case .cut(let end): "ended from outside: \(end)"
        case .waiting: "open"
        }
    }

    private func checkLeftovers(of run: RunRow) throws(Violation) {
        guard database.alarm(of: run.runID) == nil else {
            throw Violation("rest", "run \(run.runID) has closed and still has an alarm")
        }
        guard database.heartbeats(of: run.runID).isEmpty else {
            throw Violation("rest", "run \(run.runID) has closed and still has heartbeats")
        }
        guard database.backlog(of: run.runID).isEmpty else {
            throw Violation("rest", "run \(run.runID) has closed and still has tasks in the backlog")
        }
    }

    private func replay(_ run: RunRow) throws(Violation) -> SagaOutcome {
        var frames: [UInt8] = []
        for row in database.journal(of: run.runID) { frames += row.events }
        var finding: String?
        let check =
            isHistoryRewritten
            ? ReplayCheck(run.runID)
            : ReplayCheck(
                run.runID,
                activities: ledgers.activities,
                clients: ledgers.clients,
                histories: ledgers.histories
            )
        let outcome = check.check(frames) { finding = finding ?? $0 }
        if let finding { throw Violation("replay", finding) }
        guard let outcome else { throw Violation("replay", "run \(run.runID) has no outcome") }
        guard !outcome.isOpen else {
            throw Violation("replay", "run \(run.runID) is closed and its code waits: \(outcome.state)")
        }
        return outcome
    }

    /// What was acknowledged exists.
    private func checkKnownRuns() throws(Violation) {
        for key in ledgers.clients.startedWorkflows {
            for start in ledgers.clients.starts(of: key) where database.run(start.runID) == nil {
                throw Violation("replay", "run \(start.runID) of \(key.workflowID) was acknowledged and does not exist")
            }
        }
        for runID in ledgers.histories.knownRuns where database.run(runID) == nil {
            throw Violation("replay", "run \(runID) was shown and does not exist")
        }
    }
}

/// Signals between workflows, of all runs.
private struct SignalTally {
    private var told: [String: SentSignals] = [:]
    private var received: [String: Int] = [:]

    mutating func add(_ outcome: SagaOutcome, of workflowID: String) {
        told.merge(outcome.told) { $0 + $1 }
        received[workflowID, default: 0] += outcome.signalCount
    }

    /// What does not fit.
    var finding: String? {
        for (workflowID, signals) in told.sorted(by: { $0.key < $1.key }) {
            let count = received[workflowID] ?? 0
            if count < signals.arrived {
                return "\(workflowID) has \(count) signals, but \(signals.arrived) were acknowledged"
            }
            if count > signals.begun {
                return "\(workflowID) has \(count) signals, but only \(signals.begun) were sent"
            }
        }
        return nil
    }
}
