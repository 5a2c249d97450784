internal import SagamoreAPI
internal import SagamoreEngine
internal import SagamoreSimulatedDatabase

extension World {
    /// The events of the runs that a violation names, a line each.
    public func historyNamed(in violation: Violation) -> [String] {
        let words = violation.finding.split { !($0.isHexDigit || $0 == "-") }
        return words.compactMap { RunID(String($0)) }.flatMap(history)
    }

    private func history(of run: RunID) -> [String] {
        let row = database.run(run)
        let status = row.map { "\($0.status)" } ?? "no row"
        return ["run \(run), \(row?.key.workflowID ?? "unknown"): \(status)"]
            + database.journal(of: run).flatMap { row -> [String] in
                guard let entries = try? HistoryFrames.entries(events: row.events, facts: row.facts) else {
                    return ["row \(row.sequence) cannot be read"]
                }
                return ["row \(row.sequence)"] + entries.map(Self.line)
            }
    }

    private static func line(_ entry: Entry) -> String {
        switch entry {
        case .event(let recorded):
            let event = recorded.event
            let time = event.eventTime.map { Instant($0) - SimulatedServer.epoch } ?? .zero
            return "    \(event.eventID)  \(event.eventType)  at \(time.nanoseconds / 1_000_000) ms"
        case .fact(let recorded): return "    fact  \(name(recorded.fact))"
        case .volatile: return "    volatile"
        }
    }

    private static func name(_ fact: Fact) -> String {
        Mirror(reflecting: fact).children.first?.label ?? "\(fact)"
    }
}
