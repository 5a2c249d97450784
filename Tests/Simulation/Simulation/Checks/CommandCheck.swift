internal import SagamoreAPI
internal import SagamoreEngine
internal import SagamorePersistence
internal import SagamoreServices
internal import SagamoreSimulatedBroker
internal import SagamoreSimulatedDatabase

/// Checks at the end that each command took effect exactly once, however often it was written.
///
/// - `commands`: a command is known, has its effect, and its events are on the topic: those of a start are `accepted`
///   and one end that fits the run's, those of other commands are one.
/// - `dead-letters`: each record that is no command has one.
struct CommandCheck {
    let database: SimulatedDatabase
    let broker: SimulatedBroker
    let shop: Shop

    func check() throws(Violation) {
        var events: [String: [ShopEvent]] = [:]
        for record in broker.committedRecords(ServerKafka.eventsTopic) {
            guard let event = ShopEvent(record.value) else {
                throw Violation("commands", "the record \(record.partition)/\(record.offset) is no event")
            }
            events[event.commandID, default: []].append(event)
        }
        var delivered: [String: Int] = [:]
        for command in shop.commands {
            let own = events.removeValue(forKey: command.id) ?? []
            switch command.kind {
            case .start: try checkStart(command, own)
            case .signal, .cancel, .refused:
                try checkKnown(command)
                try checkSingle(command, own)
                if case .signal = command.kind, own.first?.status == "delivered" {
                    delivered[command.workflowID, default: 0] += 1
                }
            case .unreadable: break
            }
        }
        guard events.isEmpty else {
            throw Violation("commands", "events of \(events.keys.sorted()[0]) exist, which nobody sent")
        }
        for command in shop.commands {
            guard case .start = command.kind else { continue }
            try checkSignals(command.key, delivered[command.workflowID] ?? 0)
        }
        try checkLetters()
    }

    private func checkKnown(_ command: ShopCommand) throws(Violation) {
        guard database.inboxRow(of: command.key, commandID: command.id) != nil else {
            throw Violation("commands", "command \(command.id) of \(command.workflowID) is not in the inbox")
        }
    }

    private func checkStart(_ command: ShopCommand, _ events: [ShopEvent]) throws(Violation) {
        try checkKnown(command)
        let runs = database.runIDs(of: command.key)
        guard runs.count == 1, let run = database.run(runs[0]) else {
            throw Violation("commands", "command \(command.id) has started \(runs.count) runs")
        }
        let ends: [String] =
            switch run.status {
            case .completed: ["passed"]
            case .failed: ["compensated", "failed"]
            case .canceled: ["cancelled"]
            case .terminated: ["terminated"]
            case .timedOut: ["timed_out"]
            default: []
            }
        let statuses = events.map(\.status)
        guard events.count == 2, statuses[0] == "accepted", ends.contains(statuses[1]),
            events.map(\.sequence) == [1, 2], events.allSatisfy({ $0.runID == run.runID })
        else {
            throw Violation("commands", "run \(run.runID) is \(run.status); the events of \(command.id): \(statuses)")
        }
    }

    private func checkSingle(_ command: ShopCommand, _ events: [ShopEvent]) throws(Violation) {
        let statuses = events.map(\.status)
        if case .refused = command.kind, statuses == ["rejected"] { return }
        if case .refused = command.kind {
        } else if statuses == ["delivered"] || statuses == ["rejected"] {
            return
        }
        throw Violation("commands", "the events of \(command.id): \(statuses)")
    }

    /// The signals by commands are in the history of the run, each once.
    private func checkSignals(_ key: WorkflowKey, _ delivered: Int) throws(Violation) {
        var count = 0
        for run in database.runIDs(of: key) {
            for row in database.journal(of: run) {
                guard let entries = try? HistoryFrames.entries(events: row.events, facts: row.facts) else { continue }
                for case .event(let recorded) in entries {
                    guard case .workflowExecutionSignaledEventAttributes(let signal)? = recorded.event.attributes,
                        signal.identity == "kafka:" + ServerKafka.commandTopic
                    else { continue }
                    count += 1
                }
            }
        }
        guard count == delivered else {
            let finding = "\(delivered) signals to \(key.workflowID) were delivered, and its history has \(count)"
            throw Violation("commands", finding)
        }
    }

    private func checkLetters() throws(Violation) {
        let letters = broker.committedRecords(ServerKafka.deadLetterTopic)
            .map { record in EventCheck.place(record.headers.map { ($0.name, $0.value) }) }
        var expected: [String] = []
        for record in shop.written {
            if case .unreadable = record.command.kind { expected.append("\(record.partition)/\(record.offset)") }
        }
        guard letters.sorted() == expected.sorted() else {
            throw Violation(
                "dead-letters",
                "records without a command: \(expected.sorted()); letters: \(letters.sorted())"
            )
        }
    }
}
