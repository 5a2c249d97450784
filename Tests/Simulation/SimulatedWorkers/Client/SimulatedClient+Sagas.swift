internal import SagamoreAPI
public import SagamoreEngine
internal import SagamoreProtobuf
internal import SagamoreServices

/// A saga as its client knows it.
final class ClientSaga {
    let key: WorkflowKey
    let script: WorkflowScript
    let requestID: String
    /// Whether another start of the same workflow may come, or this is the other one.
    let hasRival: Bool
    /// Whether somebody else started it.
    let isAdopted: Bool
    var runID: RunID?
    private var requests = 0

    init(
        _ key: WorkflowKey,
        _ script: WorkflowScript,
        requestID: String,
        hasRival: Bool,
        isAdopted: Bool = false
    ) {
        self.isAdopted = isAdopted
        self.key = key
        self.script = script
        self.requestID = requestID
        self.hasRival = hasRival
    }

    /// An id for the next request.
    func nextRequestID() -> String {
        requests += 1
        return requestID + "/" + Decimal.text(requests)
    }
}

/// Starting sagas, and what follows.
extension SimulatedClient {
    func begin(_ script: WorkflowScript, number: Int) {
        let id = plan.name + "-" + String(number)
        let key = WorkflowKey(namespace: plan.namespace, workflowID: id)
        let hasRival = scheduler.random.happens(plan.rivals)
        let saga = ClientSaga(key, script, requestID: id + "/start", hasRival: hasRival)
        var request = startRequest(saga)
        // A late repetition must not start a run behind a rival that has ended.
        if hasRival { request.workflowIDReusePolicy = .rejectDuplicate }
        if scheduler.random.happens(plan.startDelays) {
            request.workflowStartDelay = Interval.milliseconds(Int64(scheduler.random.within(1...3_000))).duration
        }
        if scheduler.random.happens(plan.runTimeouts) {
            request.workflowRunTimeout = Interval.milliseconds(Int64(scheduler.random.within(10...30_000))).duration
        }
        send(request, saga) { [self] started in follow(saga, started) }
    }

    /// Treats a run like one of its own: sends it what its script waits for, and other requests by chance, and waits
    /// for its end.
    public func adopt(_ key: WorkflowKey, _ run: RunID, _ script: WorkflowScript) {
        openSagas += 1
        let id = plan.name + "/" + key.workflowID
        follow(ClientSaga(key, script, requestID: id, hasRival: false, isAdopted: true), run)
    }

    private func startRequest(_ saga: ClientSaga) -> StartWorkflowExecutionRequest {
        var request = StartWorkflowExecutionRequest()
        request.workflowID = saga.key.workflowID
        var type = WorkflowType()
        type.name = WorkflowScript.workflowType
        request.workflowType = type
        var queue = TaskQueue()
        queue.name = plan.taskQueue
        request.taskQueue = queue
        request.input = saga.script.input
        request.identity = plan.name
        request.requestID = saga.requestID
        return request
    }

    /// - Parameter then: receives the run when one was started.
    private func send(
        _ request: StartWorkflowExecutionRequest,
        _ saga: ClientSaga,
        instead: (() -> Void)? = nil,
        then: @escaping (RunID) -> Void
    ) {
        guard let start = try? StartRequest(request, limits: Limits()) else {
            preconditionFailure("a client makes a start that no server accepts")
        }
        let namespace = plan.namespace
        self.request("start a saga") { service, reply in
            service.history.start(start, namespace: namespace, reply: reply)
        } done: { [self] (outcome: Reply<StartedRun>.Outcome) in
            switch outcome {
            case .success(let started) where started.isNew:
                counts.starts += 1
                ledgers.clients.started(saga.key, saga.requestID, started.runID)
                then(started.runID)
            case .success:
                counts.existingRuns += 1
                if let instead { instead() } else { ended() }
            case .failure(let error):
                counts.refusedStarts += 1
                if error.code != .alreadyExists {
                    ledgers.violation("the start of \(saga.key.workflowID) was refused: \(error)")
                }
                if let instead { instead() } else { ended() }
            }
        }
    }

    /// The saga is started: sends everything that it is to receive, and waits for its end.
    private func follow(_ saga: ClientSaga, _ runID: RunID) {
        saga.runID = runID
        for number in saga.script.signals { soon { [self] in signal(saga, number) } }
        sometimes(plan.extraSignals) { [self] in signal(saga, scheduler.random.below(WorkflowScript.signalCount)) }
        sometimes(plan.cancels) { [self] in cancel(saga) }
        sometimes(plan.terminations) { [self] in terminate(saga) }
        sometimes(plan.queries) { [self] in query(saga) }
        sometimes(plan.updates) { [self] in update(saga) }
        sometimes(plan.descriptions) { [self] in describe(saga) }
        sometimes(plan.reads) { [self] in read(saga) }
        sometimes(plan.followers) { [self] in readOn(saga, []) }
        if saga.hasRival {
            soon { [self] in rival(saga) }
        } else if !saga.isAdopted {
            sometimes(plan.repeatedStarts) { [self] in
                openSagas += 1
                send(startRequest(saga), saga) { [self] _ in ended() }
            }
        }
        waitForEnd(saga, [])
    }

    private func sometimes(_ rate: Double, _ body: @escaping () -> Void) {
        if rate > 0, scheduler.random.happens(rate) { soon(body) }
    }

    private func soon(_ body: @escaping () -> Void) {
        let delay = scheduler.random.below(Int(plan.span.nanoseconds))
        later("a client goes on", after: Interval(nanoseconds: Int64(delay)), body)
    }

    /// Starts the same workflow under another request id, with one of all policies.
    private func rival(_ saga: ClientSaga) {
        let rival = ClientSaga(saga.key, saga.script, requestID: saga.requestID + "/rival", hasRival: true)
        var request = startRequest(rival)
        switch scheduler.random.below(5) {
        case 0: request.workflowIDConflictPolicy = .useExisting
        case 1: request.workflowIDConflictPolicy = .terminateExisting
        case 2: request.workflowIDReusePolicy = .terminateIfRunning
        case 3: request.workflowIDReusePolicy = .allowDuplicateFailedOnly
        default: break
        }
        ledgers.clients.supersede(saga.requestID)
        openSagas += 1
        send(request, rival) { [self] in
            // A copy of the request may be under way, and start a run once the other one has closed.
            later("look for a stray run", after: network.faults.longestDelay) { [self] in
                lookForStray(rival, besides: saga)
            }
        } then: { [self] runID in
            accompany(rival, runID)
        }
    }

    private func accompany(_ rival: ClientSaga, _ run: RunID) {
        rival.runID = run
        for number in rival.script.signals { soon { [self] in signal(rival, number) } }
        waitForEnd(rival, [])
    }

    private func lookForStray(_ rival: ClientSaga, besides saga: ClientSaga) {
        let current = WorkflowReference(key: rival.key, runID: nil)
        request("look for a stray run") { service, reply in
            service.history.describe(current, reply: reply)
        } done: { [self] (outcome: Reply<DescribeWorkflowExecutionResponse>.Outcome) in
            guard case .success(let description) = outcome,
                let run = RunID(description.workflowExecutionInfo?.execution?.runID ?? ""), run != saga.runID
            else { return ended() }
            counts.strayRuns += 1
            accompany(rival, run)
        }
    }

    func ended() {
        openSagas -= 1
        begin()
    }
}
