internal import SagamoreAPI
internal import SagamoreEngine
internal import SagamoreProtobuf
internal import SagamoreServices

/// What became of an update, as its callers know it.
enum UpdateEnd: Equatable, Sendable {
    case accepted, succeeded, rejected, abandoned
}

/// What workers do with an update. Its id says it, so that every worker does the same.
enum UpdateKind: String, CaseIterable {
    /// A validator refuses it.
    case rejected
    /// It is accepted and completed with one workflow task.
    case completed
    /// It is accepted with one workflow task, and completed with a later one.
    case accepted

    init?(updateID: String) {
        guard let name = updateID.split(separator: "/").last else { return nil }
        self.init(rawValue: String(name))
    }
}

extension SimulatedClient {
    /// Sends an update and waits for its outcome, and asks for that again now and then.
    func update(_ saga: ClientSaga) {
        let kind = UpdateKind.allCases[scheduler.random.below(UpdateKind.allCases.count)]
        update(saga, saga.nextRequestID() + "/" + kind.rawValue, kind)
    }

    private func update(_ saga: ClientSaga, _ id: String, _ kind: UpdateKind) {
        guard let runID = saga.runID else { return }
        var request = Request()
        request.meta = Meta()
        request.meta?.updateID = id
        request.meta?.identity = plan.name
        request.input = Input()
        request.input?.name = "update"
        guard let update = try? UpdateRequest(request, limits: Limits()) else {
            preconditionFailure("a client makes an update that no server accepts")
        }
        let run = WorkflowReference(key: saga.key, runID: runID)
        let wait = Interval.milliseconds(Int64(scheduler.random.within(100...4_000)))
        self.request("update a saga", timeout: wait + .seconds(2)) { (service, reply: Reply<UpdateStatus>) in
            service.history.update(
                run,
                update,
                waitingFor: .completed,
                deadline: service.clock() + wait,
                reply: reply
            )
        } done: { [self] outcome in
            guard case .success(let status) = outcome else {
                counts.refusedUpdates += 1
                return
            }
            guard let end = self.end(of: status, id, kind) else {
                counts.waitingUpdates += 1
                return
            }
            counts.updates += 1
            ledgers.clients.updated(runID, id, end)
            guard scheduler.random.happens(0.3) else { return }
            later("update a saga again", after: .milliseconds(Int64(scheduler.random.within(1...2_000)))) { [self] in
                self.update(saga, id, kind)
            }
        }
    }

    /// What an answer says; nil when the update waits for the workflow's word.
    private func end(of status: UpdateStatus, _ id: String, _ kind: UpdateKind) -> UpdateEnd? {
        switch status.outcome?.value {
        case nil: return status.stage == .accepted ? .accepted : nil
        case .success(let result):
            if result.data != Array(id.utf8) { ledgers.violation("update \(id) has the outcome of another one") }
            return .succeeded
        case .failure:
            if status.outcome == abandonedUpdateOutcome { return .abandoned }
            if kind != .rejected { ledgers.violation("update \(id) was rejected, which no worker does") }
            return .rejected
        }
    }
}
