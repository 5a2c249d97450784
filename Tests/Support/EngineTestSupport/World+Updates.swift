internal import SagamoreAPI
internal import SagamoreEngine
internal import SagamoreProtobuf

/// What clients ask for with updates, and what workers say of them.
extension World {
    func update() throws {
        let id = "update-\(Int.random(in: 0..<30, using: &random))"
        let request = try Samples.update(id, limits: Limits())
        let before = execution.progress(ofUpdate: id)
        let isRunning = execution.isRunning
        let decision = try perform("update \(id)") { execution throws(RequestError) in
            try execution.decide(request, at: now, limits: limits)
        }
        guard let decision else {
            try require(!isRunning || execution.workflowTask != nil || before == nil, "a known update was refused")
            return
        }
        try require(!decision.isDurable, "the admission of an update was written")
        try require(decision.entries.isEmpty == (before != nil), "update \(id) is known: \(before != nil)")
        try require(execution.progress(ofUpdate: id) == before ?? .admitted, "an update was not admitted")
    }

    /// What a reset does with the updates of the run that it replaces.
    func reapplyUpdate() throws {
        let id = "update-\(Int.random(in: 0..<30, using: &random))"
        let isBuffered = execution.durable.bufferedEvents.contains { $0.subject == "update \(id)" }
        guard !isBuffered else { return }
        let request = try Samples.update(id, limits: Limits())
        try perform("reapply update \(id)") { execution throws(RequestError) in
            try execution.decide(reapplying: request, at: now)
        }
    }

    /// Answers for the updates that the worker has, some of them among the commands, and a few that don't fit.
    func addMessages(to request: inout RespondWorkflowTaskCompletedRequest) {
        var messages: [ProtocolMessage] = []
        let sent = execution.volatile.updates.filter(\.isSent).map(\.id)
        let open = execution.durable.updates.sorted { $0.key < $1.key }
        for id in sent + open.compactMap({ if case .admitted = $0.value { $0.key.text } else { nil } }) {
            switch Int.random(in: 0..<8, using: &random) {
            case 0..<2: messages.append(Samples.acceptance(id))
            case 2..<5: messages += [Samples.acceptance(id), Samples.completion(id)]
            case 5..<7: messages.append(Samples.rejection(id))
            default: continue
            }
        }
        for (id, update) in open {
            if case .accepted = update, random.once(in: 3) { messages.append(Samples.completion(id.text)) }
        }
        if random.once(in: 25) {
            messages.append(Samples.completion("update-\(Int.random(in: 0..<30, using: &random))"))
        }
        request.messages = messages
        for message in messages where random.once(in: 2) {
            let last = request.commands.last.map { $0.commandType.description.contains("EXECUTION") } ?? false
            request.commands.insert(Samples.order(message), at: request.commands.count - (last ? 1 : 0))
        }
        var capabilities = RespondWorkflowTaskCompletedRequest.Capabilities()
        capabilities.discardSpeculativeWorkflowTaskWithEvents = true
        if random.once(in: 2) { request.capabilities = capabilities }
    }
}
