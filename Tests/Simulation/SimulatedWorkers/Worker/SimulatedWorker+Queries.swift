internal import SagamoreAPI
internal import SagamoreEngine
internal import SagamoreProtobuf
internal import SagamoreServices

/// Queries: with a workflow task, or as tasks of their own.
extension SimulatedWorker {
    func answers(_ queries: ProtobufMap<WorkflowQuery>, _ run: ScriptRun) -> ProtobufMap<WorkflowQueryResult> {
        guard !queries.isEmpty else { return ProtobufMap() }
        counts.queries += queries.count
        var result = WorkflowQueryResult()
        result.resultType = .answered
        result.answer = RawMessage(data: run.answer)
        return queries.mapValues { _ in result }
    }

    func received(_ query: AssignedQuery, then next: @escaping () -> Void) {
        counts.queries += 1
        if let run = cache.run(query.runID), run.lastStartedEventID == query.previousStartedEventID {
            return answer(query, run.answer, then: next)
        }
        if !query.history.isEmpty {
            ledgers.histories.saw(query.runID, query.history, mayEndUnwritten: query.nextPageToken.isEmpty)
            if query.nextPageToken.isEmpty { return replay(query, query.history, then: next) }
        }
        counts.fetchedHistories += 1
        let reference = WorkflowReference(key: query.key, runID: query.runID)
        fetch(reference, query.history, query.nextPageToken) { [self] history in
            guard let history else { return next() }
            replay(query, history, then: next)
        }
    }

    private func replay(_ query: AssignedQuery, _ history: [UInt8], then next: @escaping () -> Void) {
        var run = ScriptRun()
        do {
            try run.handle(try ScriptEvent.decode(history))
        } catch {
            ledgers.violation("worker \(identity) cannot replay run \(query.runID) for a query: \(error)")
            return next()
        }
        answer(query, run.answer, then: next)
    }

    private func answer(_ query: AssignedQuery, _ answer: [UInt8], then next: @escaping () -> Void) {
        guard case .query(let token)? = try? TaskToken(query.token) else {
            ledgers.violation("the token of a query to run \(query.runID) cannot be read")
            return next()
        }
        caller.call("answer a query", timeout: configuration.answerTimeout) { (service, reply: Reply<Void>) in
            service.history.answerQuery(token, .answered(RawMessage(data: answer)), reply: reply)
        } done: { _ in
            next()
        }
    }
}
