internal import SagamoreAPI
internal import SagamoreEngine
internal import SagamoreProtobuf

/// What children and other workflows answer.
extension World {
    /// A message is delivered and answered. Nothing may be owed without a message.
    func answerDebt() throws {
        guard let eventID = execution.durable.owed.randomElement(using: &random) else { return }
        let message: DebtMessage?
        do throws(RequestError) {
            message = try execution.message(for: eventID, from: Samples.namespace, limits: limits)
        } catch {
            return try settle(eventID, .refused(error))
        }
        guard let message else { throw violation("there is no message for what is owed from \(eventID)") }
        // A message that is not answered is sent again.
        if random.once(in: 5) { return }
        let refusals: [RequestError] = [
            .workflowNotFound("other"), .invalidArgument("too many signals"), RequestError(.alreadyExists, "runs"),
        ]
        if random.once(in: 4), let error = refusals.randomElement(using: &random) {
            return try settle(eventID, .refused(error))
        }
        if case .start = message { return try settle(eventID, .started(Samples.childRunID)) }
        try settle(eventID, .done)
    }

    private func settle(_ eventID: Int64, _ answer: DebtAnswer) throws {
        let before = execution.durable.owed
        let decision = try perform("answer to \(eventID)", settles: true) { execution throws(RequestError) in
            execution.decide(answer, to: eventID, from: Samples.namespace, at: now)
        }
        if let decision, endedByLimit(decision) { return }
        let left = before.filter { $0 != eventID }
        try require(execution.durable.owed == left, "the answer to \(eventID) of \(before) left another debt")
        let again = execution.decide(answer, to: eventID, from: Samples.namespace, at: now)
        try require(again.entries.isEmpty, "a second answer to \(eventID) did something")
    }

    /// A child ends. Its report may come twice, and before the answer to its start.
    func endChild() throws {
        let child = execution.durable.children.values.sorted { $0.initiatedEventID < $1.initiatedEventID }
            .randomElement(using: &random)
        guard let child, let (type, attributes) = Samples.childEnds.randomElement(using: &random) else { return }
        let end = Samples.childEnd(child.initiatedEventID, child.workflowID, type, attributes)
        for _ in 0..<(random.once(in: 4) ? 2 : 1) {
            try perform("end of child \(child.initiatedEventID)") { execution throws(RequestError) in
                execution.decide(end, at: now)
            }
        }
        let isPending = execution.isRunning && execution.durable.children[child.initiatedEventID] != nil
        try require(!isPending, "the ended child \(child.initiatedEventID) is pending")
    }

    /// A command for a child or another workflow.
    func childCommand(_ names: [String]) -> Command {
        let other = names.randomElement(using: &random) ?? "other"
        switch Int.random(in: 0..<7, using: &random) {
        case 0..<3:
            return Samples.startChild(other) { attributes in
                let policies: [ParentClosePolicy] = [.unspecified, .terminate, .abandon, .requestCancel]
                attributes.parentClosePolicy = policies.randomElement(using: &random) ?? .terminate
                if random.once(in: 3) { attributes.workflowRunTimeout = Interval.seconds(9).duration }
                if random.once(in: 3) { attributes.control = "control" }
                if random.once(in: 3) { attributes.input = nil }
            }
        case 3, 4:
            return Samples.signalExternal(random.once(in: 6) ? Samples.key.workflowID : other) { attributes in
                attributes.childWorkflowOnly = random.once(in: 2)
            }
        default:
            return Samples.cancelExternal(other) { $0.childWorkflowOnly = random.once(in: 2) }
        }
    }
}
