internal import SagamoreEngine
internal import SagamoreServices
internal import SagamoreThreads

/// Whom a service delivers debts to, and how namespaces are named in what it sends.
struct DebtContacts: Sendable {
    /// The services that own the other sides; nil for this one.
    var client: (any DebtRecipient)?
    var namespaces: (any NamespaceDirectory)?
    var schedules: (any ScheduledRunListener)?
}

/// Delivers what the runs of a shard owe others, and brings the answers back. `DebtQueue` decides what is sent next.
///
/// It holds no lock while it calls others, and no shard's lock is held while another shard is called. What it sends is
/// committed: a debt enters the queue with the commit of what incurred it.
///
/// Unchecked: used by one thread at a time, the one that gives it a turn. Answers come on any thread, and change only
/// what the shard's lock guards.
final class DebtDelivery: @unchecked Sendable {
    let shard: Shard
    private let contacts: @Sendable () -> DebtContacts

    init(shard: Shard, contacts: @escaping @Sendable () -> DebtContacts) {
        self.shard = shard
        self.contacts = contacts
    }

    /// A message that is to be sent.
    private struct Outgoing: Sendable {
        let debt: DebtQueue.Debt
        /// Whether the debtor was open. If it has closed when the answer comes, it owes something else by now.
        let isOpen: Bool
        let namespace: NamespaceName
        /// Nil if nothing is owed any more.
        let message: Result<DebtMessage?, RequestError>
    }

    /// Sends a few messages. Returns when the next turn is due, by the steady clock; nil: when it is rung.
    func turn() -> Instant? {
        let contacts = contacts()
        guard let client = contacts.client, let namespaces = contacts.namespaces else { return nil }
        var wake: Instant?
        let outgoing = shard.perform { () -> [Outgoing] in
            guard shard.state.ownership.isOwned else { return [] }
            let now = shard.steadyClock()
            // Answers need room in the lane.
            guard !shard.isLaneHalfFull, shard.obstacle() == nil else {
                wake = now + Self.pause
                return []
            }
            let taken = shard.state.debts.take(at: now)
            wake = shard.state.debts.isReady ? .distantPast : shard.state.debts.nextAlarm
            return taken.compactMap { prepare($0, namespaces) }
        }
        for message in outgoing { send(message, client) }
        return wake
    }

    /// The pause while the lane is half full, or the shard's lease is in doubt.
    private static let pause = Interval.milliseconds(20)

    /// Under the lock.
    private func prepare(_ debt: DebtQueue.Debt, _ namespaces: any NamespaceDirectory) -> Outgoing? {
        guard let (run, _) = shard.debtor(debt.runID, debt.key) else {
            shard.state.debts.finish(debt)
            return nil
        }
        let record = namespaces.namespace(numbered: debt.key.namespace)
        let namespace = NamespaceName(name: record?.name ?? "", id: record?.id ?? "")
        let limits = shard.configuration.limits
        let message: Result<DebtMessage?, RequestError>
        do throws(RequestError) {
            message = .success(
                try run.decide { (execution) throws(RequestError) in
                    try execution.message(for: debt.eventID, from: namespace, limits: limits)
                }
            )
        } catch {
            message = .failure(error)
        }
        return Outgoing(debt: debt, isOpen: run.execution.isRunning, namespace: namespace, message: message)
    }

    private func send(_ outgoing: Outgoing, _ client: any DebtRecipient) {
        func key(_ workflowID: String) -> WorkflowKey {
            WorkflowKey(namespace: outgoing.debt.key.namespace, workflowID: workflowID)
        }
        /// - Parameter answer: what a success means to the debtor.
        func reply<Success>(_ answer: @escaping @Sendable (Success) -> DebtAnswer) -> Reply<Success> {
            Reply { [self] outcome in answered(outgoing, outcome.map(answer)) }
        }
        switch outgoing.message {
        case .failure(let error): answered(outgoing, .failure(error))
        case .success(nil): shard.perform { shard.state.debts.finish(outgoing.debt) }
        case .success(.start(let request)):
            client.start(request, namespace: outgoing.debt.key.namespace, reply: reply { .started($0.runID) })
        case .success(.signal(let workflowID, let runID, let request)):
            client.signal(WorkflowReference(key: key(workflowID), runID: runID), request, reply: reply { _ in .done })
        case .success(.cancel(let workflowID, let runID, let request)):
            client.cancel(WorkflowReference(key: key(workflowID), runID: runID), request, reply: reply { .done })
        case .success(.terminate(let workflowID, let request)):
            client.terminate(WorkflowReference(key: key(workflowID), runID: nil), request, reply: reply { .done })
        case .success(.report(let workflowID, let runID, let end)):
            let parent = WorkflowReference(key: key(workflowID), runID: runID)
            client.reportChildEnd(parent, end, reply: reply { .done })
        case .success(.reportToSchedule(let end)):
            guard let schedules = contacts().schedules else {
                return answered(outgoing, .failure(.unavailable("the schedules are not loaded yet")))
            }
            schedules.ended(end, namespace: outgoing.debt.key.namespace, reply: reply { .done })
        }
    }

    /// The other side has answered, or could not be reached.
    private func answered(_ outgoing: Outgoing, _ outcome: Result<DebtAnswer, RequestError>) {
        let debt = outgoing.debt
        shard.perform {
            let isRepeated = if case .failure(let error) = outcome { error.isTemporary } else { false }
            guard !isRepeated, shard.obstacle() == nil else {
                return shard.state.debts.putOff(debt, at: shard.steadyClock(), using: &shard.state.random)
            }
            shard.state.debts.finish(debt)
            guard let (run, context) = shard.debtor(debt.runID, debt.key),
                run.execution.isRunning == outgoing.isOpen
            else { return }
            let answer: DebtAnswer
            switch outcome {
            case .success(let done): answer = done
            case .failure(let error): answer = .refused(error)
            }
            let decision = run.execution.decide(
                answer,
                to: debt.eventID,
                from: outgoing.namespace,
                at: shard.clock()
            )
            guard !decision.entries.isEmpty else { return }
            shard.carryOut(decision, on: run, in: context)
            shard.requeueLostQueries(of: run, in: context)
        }
        shard.debtBell.ring()
    }
}

extension RequestError {
    /// Whether a message that was refused so is to be sent again.
    fileprivate var isTemporary: Bool {
        switch code {
        case .unavailable, .resourceExhausted, .deadlineExceeded, .cancelled, .internalError: true
        default: false
        }
    }
}

extension Shard {
    /// Under the lock: what incurred these debts is committed, so they may be delivered.
    func incur(_ eventIDs: [Int64], of run: CachedRun) {
        state.debts.add(eventIDs, of: run.runID, run.key)
        state.deferred.call { [debtBell] in debtBell.ring() }
    }

    /// Under the lock: an item is committed.
    func incurDebts(of item: LaneItem) {
        if let ending = item.ending { incurDebts(of: ending) }
        if !item.debts.isEmpty, let run = item.run { incur(item.debts, of: run) }
    }

    /// Under the lock: a run was loaded. What it owes is delivered, maybe again.
    func incurOwed(by run: CachedRun) {
        let owed = run.execution.durable.owed
        if !owed.isEmpty { incur(owed, of: run) }
    }

    /// Under the lock: a run in memory that may owe something, whether it is the current one of its workflow or not.
    func debtor(_ runID: RunID, _ key: WorkflowKey) -> (CachedRun, WorkflowContext)? {
        guard let context = state.runs[key] else { return nil }
        if let run = context.cached, run.runID == runID { return run.isDead ? nil : (run, context) }
        return context.state.debtors.first { $0.runID == runID && !$0.isDead }.map { ($0, context) }
    }
}
