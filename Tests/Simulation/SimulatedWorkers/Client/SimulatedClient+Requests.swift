internal import SagamoreAPI
internal import SagamoreEngine
internal import SagamoreProtobuf
internal import SagamoreServices

/// Requests to sagas that are started.
extension SimulatedClient {
    func signal(_ saga: ClientSaga, _ number: Int) {
        let id = saga.nextRequestID()
        guard
            let signal = try? SignalRequest(
                name: WorkflowScript.signalName(number),
                input: nil,
                header: nil,
                identity: plan.name,
                requestID: id,
                limits: Limits()
            )
        else { preconditionFailure("a client makes a signal that no server accepts") }
        ledgers.clients.sendsSignal(to: saga.key)
        let run = WorkflowReference(key: saga.key, runID: saga.runID)
        request("signal a saga") { service, reply in
            service.history.signal(run, signal, reply: reply)
        } done: { [self] (outcome: Reply<RunID>.Outcome) in
            switch outcome {
            case .success(let runID):
                counts.signals += 1
                ledgers.clients.signaled(runID, id)
                if let own = saga.runID, own != runID {
                    ledgers.violation("a signal to run \(own) reached run \(runID)")
                }
            case .failure(let error):
                counts.refusedSignals += 1
                missing(saga, error, "signal")
            }
        }
    }

    func cancel(_ saga: ClientSaga) {
        let cancel = CancelRequest(reason: "by chance", identity: plan.name, requestID: saga.nextRequestID())
        let run = WorkflowReference(key: saga.key, runID: saga.runID)
        request("cancel a saga") { service, reply in
            service.history.cancel(run, cancel, reply: reply)
        } done: { [self] (outcome: Reply<Void>.Outcome) in
            counts.cancels += 1
            if case .success = outcome, let runID = saga.runID { ledgers.clients.cancelRequested(runID) }
        }
    }

    func terminate(_ saga: ClientSaga) {
        let terminate = TerminateRequest(reason: "by chance", identity: plan.name)
        let run = WorkflowReference(key: saga.key, runID: saga.runID)
        request("terminate a saga") { service, reply in
            service.history.terminate(run, terminate, reply: reply)
        } done: { [self] (outcome: Reply<Void>.Outcome) in
            switch outcome {
            case .success:
                counts.terminations += 1
                if let runID = saga.runID { ledgers.clients.terminated(runID) }
            case .failure: counts.refusedTerminations += 1
            }
        }
    }

    /// Asks once: a query may fail while no worker runs.
    func query(_ saga: ClientSaga) {
        guard let runID = saga.runID else { return }
        var query = WorkflowQuery()
        query.queryType = "progress"
        let run = WorkflowReference(key: saga.key, runID: runID)
        let limit = Interval.seconds(Int64(scheduler.random.within(1...20)))
        let acknowledged = ledgers.clients.acknowledgedSignals(of: runID)
        caller.call("query a saga", timeout: limit + .seconds(2)) { [query] (service, reply: Reply<QueryOutcome>) in
            let deadline = service.clock() + limit
            service.history.query(run, query, rejecting: .unspecified, deadline: deadline, reply: reply)
        } done: { [self] outcome in
            guard case .success(.answered(let answer)) = outcome else {
                counts.failedQueries += 1
                return
            }
            counts.answeredQueries += 1
            var reader = ByteReader(answer?.data ?? [])
            let signals = reader.number() ?? -1
            let sent = ledgers.clients.sentSignals(to: saga.key)
            if signals > sent {
                ledgers.violation("a query of run \(runID) shows \(signals) signals, but only \(sent) were sent")
            } else if signals < acknowledged {
                ledgers.clients.missedSignals(runID, acknowledged - signals)
            }
        }
    }

    func describe(_ saga: ClientSaga) {
        guard let runID = saga.runID else { return }
        let run = WorkflowReference(key: saga.key, runID: runID)
        let before = ledgers.clients.run(runID).end
        request("describe a saga") { service, reply in
            service.history.describe(run, reply: reply)
        } done: { [self] (outcome: Reply<DescribeWorkflowExecutionResponse>.Outcome) in
            counts.descriptions += 1
            switch outcome {
            case .success(let description):
                let status = description.workflowExecutionInfo?.status ?? .unspecified
                ledgers.clients.saw(runID, RunEnd(status), knownBefore: before)
            case .failure(let error): missing(saga, error, "describe")
            }
        }
    }

    /// A run whose start was acknowledged must be found.
    func missing(_ saga: ClientSaga, _ error: RequestError, _ what: String) {
        guard error.code == .notFound, error.message != RequestError.workflowClosed.message,
            let run = saga.runID, ledgers.clients.knows(run)
        else { return }
        ledgers.violation("run \(run) of \(saga.key.workflowID) was acknowledged, but \(what): \(error)")
    }
}

extension RunEnd {
    init?(_ status: WorkflowExecutionStatus) {
        switch status {
        case .completed: self = .completed
        case .continuedAsNew: self = .continuedAsNew
        case .failed: self = .failed
        case .canceled: self = .canceled
        case .terminated: self = .terminated
        case .timedOut: self = .timedOut
        default: return nil
        }
    }
}
