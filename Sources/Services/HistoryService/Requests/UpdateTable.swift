internal import SagamoreAPI
internal import SagamoreEngine
internal import SagamoreServices

/// The caller of an update who waits until it has come far enough.
struct UpdateWaiter: Sendable {
    let id: UInt64
    let runID: RunID
    let key: WorkflowKey
    let updateID: String
    /// Whether the caller waits for the outcome, not only for the workflow's acceptance.
    let needsOutcome: Bool
    let deadline: Instant
    /// Sends the update to the run that follows its own, if there is one. The caller gets the error otherwise. Nil for
    /// a caller who means this run.
    let askAgain: (@Sendable (RequestError, Reply<UpdateStatus>) -> Void)?
    private let reply: Reply<UpdateStatus>
    /// Whether the workflow has accepted the update.
    fileprivate(set) var isAccepted: Bool

    init(
        id: UInt64,
        of run: CachedRun,
        _ update: FollowedUpdate,
        isAccepted: Bool,
        reply: Reply<UpdateStatus>
    ) {
        self.id = id
        runID = run.runID
        key = run.key
        updateID = update.id
        needsOutcome = update.stage == .completed
        deadline = update.deadline
        askAgain = update.askAgain
        self.isAccepted = isAccepted
        self.reply = reply
    }

    /// The answer at the deadline: how far the update has come.
    var statusSoFar: UpdateStatus { UpdateStatus(runID: runID, stage: isAccepted ? .accepted : .admitted) }

    func finish(_ outcome: Result<UpdateStatus, RequestError>) { reply.answer(outcome) }

    /// Sends the update to the next run, or gives its caller the error.
    func ask(insteadOf error: RequestError) {
        if let askAgain { askAgain(error, reply) } else { reply.fail(error) }
    }
}

/// An update as one caller follows it.
struct FollowedUpdate: Sendable {
    /// The id of the update.
    let id: String
    /// The stage that the caller waits for. One before acceptance is there at once.
    let stage: UpdateWorkflowExecutionLifecycleStage
    /// When the caller hears how far it has come.
    let deadline: Instant
    /// See `UpdateWaiter`.
    var askAgain: (@Sendable (RequestError, Reply<UpdateStatus>) -> Void)?
}

/// An action for the caller of an update.
enum UpdateAction: Sendable {
    /// Tell the caller how far the update has come.
    case answer(UpdateWaiter, UpdateStatus)
    /// Tell the caller why it was not carried out.
    case fail(UpdateWaiter, RequestError)
    /// Send the update again, since its run has closed before it was accepted.
    case askAgain(UpdateWaiter, RequestError)
}

/// The callers of a shard who wait for updates. Events return actions. Each caller leaves the table with exactly one.
/// They outlive their run in memory: what it decides later names the run.
struct UpdateTable {
    private var waiters: [UInt64: UpdateWaiter] = [:]
    /// The callers by run, in order of arrival.
    private var byRun: [RunID: [UInt64]] = [:]

    var count: Int { waiters.count }

    mutating func wait(_ waiter: UpdateWaiter) {
        precondition(waiters[waiter.id] == nil, "caller \(waiter.id) waits twice")
        waiters[waiter.id] = waiter
        byRun[waiter.runID, default: []].append(waiter.id)
    }

    /// A decision about updates of a run is committed.
    mutating func heard(_ news: [UpdateNews], of run: RunID) -> [UpdateAction] {
        guard let ids = byRun[run] else { return [] }
        return news.flatMap { news in
            ids.compactMap { id in
                guard let waiter = waiters[id], waiter.updateID.hasSameBytes(as: news.id) else { return nil }
                return heard(news.kind, waiter)
            }
        }
    }

    private mutating func heard(_ kind: UpdateNews.Kind, _ waiter: UpdateWaiter) -> UpdateAction? {
        switch kind {
        case .accepted where waiter.needsOutcome:
            waiters[waiter.id]?.isAccepted = true
            return nil
        case .accepted:
            return remove(waiter.id).map { .answer($0, UpdateStatus(runID: $0.runID, stage: .accepted)) }
        case .ended(let outcome):
            return remove(waiter.id).map {
                .answer($0, UpdateStatus(runID: $0.runID, stage: .completed, outcome: outcome))
            }
        case .failed(let error):
            return remove(waiter.id).map { $0.askAgain == nil ? .fail($0, error) : .askAgain($0, error) }
        }
    }

    /// Callers whose time is over hear how far their updates have come.
    mutating func timedOut(_ now: Instant) -> [UpdateAction] {
        guard !waiters.isEmpty else { return [] }
        return waiters.values.filter { $0.deadline <= now }.map(\.id).sorted().compactMap { id in
            remove(id).map { .answer($0, $0.statusSoFar) }
        }
    }

    /// The run's state in memory is lost, and with it the updates that no event shows.
    mutating func runLost(_ run: RunID, _ error: RequestError) -> [UpdateAction] {
        (byRun[run] ?? []).compactMap { id in remove(id).map { .fail($0, error) } }
    }

    mutating func removeAll(_ error: RequestError) -> [UpdateAction] {
        waiters.keys.sorted().compactMap { id in remove(id).map { .fail($0, error) } }
    }

    private mutating func remove(_ id: UInt64) -> UpdateWaiter? {
        guard let waiter = waiters.removeValue(forKey: id) else { return nil }
        byRun[waiter.runID]?.removeAll { $0 == id }
        if byRun[waiter.runID]?.isEmpty == true { byRun[waiter.runID] = nil }
        return waiter
    }
}
