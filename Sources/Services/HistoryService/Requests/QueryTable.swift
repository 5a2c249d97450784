internal import SagamoreAPI
internal import SagamoreEngine
internal import SagamoreProtobuf
internal import SagamoreServices

/// How a query gets to a worker.
enum QueryRoute {
    /// Attached to a workflow task that is due, runs, or will come.
    case workflowTask
    /// As a task of its own.
    case ownTask(PendingQuery.OwnTask)
    /// No worker can answer.
    case unanswerable(RequestError)
}

/// An action for a query.
enum QueryAction: Sendable {
    /// Offer the query's own task to Matching.
    case offer(MatchingTask)
    /// Give the caller a worker's answer.
    case answer(PendingQuery, QueryAnswer)
    /// Tell the caller why there is no answer.
    case fail(PendingQuery, RequestError)
}

/// The queries of a shard that have no answer yet. Events return actions. Each query leaves the table with exactly one
/// `answer` or `fail`.
struct QueryTable {
    private var queries: [UInt64: PendingQuery] = [:]
    /// The queries that wait for a workflow task or are attached to one, by run, in order of arrival.
    private var bound: [RunID: [UInt64]] = [:]

    var isEmpty: Bool { queries.isEmpty }
    var count: Int { queries.count }
    var pending: [PendingQuery] { Array(queries.values) }

    func state(of id: UInt64) -> PendingQuery.State? { queries[id]?.state }

    /// Whether queries wait for a workflow task of a run or are attached to one. They do not outlive the run in memory.
    func isBound(to run: RunID) -> Bool { !bound.isEmpty && bound[run] != nil }

    // MARK: Asking

    mutating func asked(_ query: PendingQuery, _ route: QueryRoute) -> [QueryAction] {
        precondition(query.state == .asked && queries[query.id] == nil, "query \(query.id) is asked twice")
        queries[query.id] = query
        return [send(query.id, route)].compactMap { $0 }
    }

    /// Routes a new query. Returns nil if it only has to wait.
    private mutating func send(_ id: UInt64, _ route: QueryRoute) -> QueryAction? {
        switch route {
        case .workflowTask:
            if queries[id]?.state != .waitingForTask { move(id, to: .waitingForTask) }
            return nil
        case .ownTask(let task): return move(id, to: .offered(task)).map { .offer($0.task(task)) }
        case .unanswerable(let error): return remove(id).map { .fail($0, error) }
        }
    }

    // MARK: Workflow tasks

    /// A worker gets a workflow task of the run. Returns the queries that are attached to it.
    mutating func taskStarted(on run: RunID) -> ProtobufMap<WorkflowQuery> {
        guard isBound(to: run), let ids = bound[run] else { return [:] }
        var attached = ProtobufMap<WorkflowQuery>()
        for id in ids where queries[id]?.state == .waitingForTask {
            guard let query = move(id, to: .riding) else { continue }
            attached[query.wireID] = query.query
        }
        return attached
    }

    /// No worker holds a workflow task of the run any longer: the task completed, failed or timed out, or the run
    /// ended. Queries without an answer are rerouted.
    ///
    /// - Parameter answers: the answers in the completion.
    mutating func taskEnded(
        on run: RunID,
        answers: ProtobufMap<WorkflowQueryResult> = [:],
        _ route: () -> QueryRoute
    ) -> [QueryAction] {
        guard isBound(to: run), let ids = bound[run] else { return [] }
        let route = route()
        return ids.compactMap { id in
            guard let query = queries[id] else { return nil }
            if query.state == .riding, let result = answers[query.wireID] {
                return remove(id).map { .answer($0, QueryAnswer(result)) }
            }
            return send(id, route)
        }
    }

    // MARK: Tasks of their own

    /// A poller took the query's own task. Returns nil if the query has ended.
    mutating func taken(_ id: UInt64) -> PendingQuery? {
        guard case .offered(let task)? = queries[id]?.state else { return nil }
        return move(id, to: .held(task))
    }

    /// The task did not reach the poller and is back in its queue.
    mutating func notDelivered(_ id: UInt64) {
        if case .held(let task)? = queries[id]?.state { move(id, to: .offered(task)) }
    }

    /// The sticky queue in which the query waits has lost its worker.
    mutating func workerGone(_ id: UInt64) -> [QueryAction] {
        guard case .offered(let task)? = queries[id]?.state, task.isSticky else { return [] }
        return [send(id, .ownTask(task.withoutStickyQueue))].compactMap { $0 }
    }

    /// A worker answers the query's own task. Does nothing if the query has ended.
    mutating func answered(_ id: UInt64, _ answer: QueryAnswer) -> [QueryAction] {
        guard case .held? = queries[id]?.state, let query = remove(id) else { return [] }
        return [.answer(query, answer)]
    }

    // MARK: Ends without an answer

    /// The query cannot continue.
    mutating func refused(_ id: UInt64, _ error: RequestError) -> [QueryAction] {
        remove(id).map { [.fail($0, error)] } ?? []
    }

    mutating func timedOut(_ now: Instant) -> [QueryAction] {
        guard !queries.isEmpty else { return [] }
        let error = RequestError(.deadlineExceeded, "query timed out before a worker could process it")
        let ids = queries.values.filter { $0.deadline <= now }.map(\.id)
        return ids.sorted().flatMap { refused($0, error) }
    }

    /// The run is dropped from memory together with its workflow tasks.
    mutating func runEvicted(_ run: RunID, _ error: RequestError) -> [QueryAction] {
        (bound[run] ?? []).flatMap { refused($0, error) }
    }

    mutating func removeAll(_ error: RequestError) -> [QueryAction] {
        queries.keys.sorted().flatMap { refused($0, error) }
    }

    // MARK: The table

    @discardableResult
    private mutating func move(_ id: UInt64, to state: PendingQuery.State) -> PendingQuery? {
        guard var query = queries[id] else { return nil }
        let wasBound = query.state.isBound
        query.transition(to: state)
        queries[id] = query
        if state.isBound, !wasBound { bound[query.runID, default: []].append(id) }
        if wasBound, !state.isBound { unbind(query) }
        return query
    }

    private mutating func remove(_ id: UInt64) -> PendingQuery? {
        guard var query = queries.removeValue(forKey: id) else { return nil }
        if query.state.isBound { unbind(query) }
        query.transition(to: .answered)
        return query
    }

    private mutating func unbind(_ query: PendingQuery) {
        guard var ids = bound.removeValue(forKey: query.runID) else { preconditionFailure("run has no queries") }
        ids.removeAll { $0 == query.id }
        if !ids.isEmpty { bound[query.runID] = ids }
    }
}

extension PendingQuery {
    /// The key of the query in a workflow task.
    var wireID: String { String(id, radix: 16) }

    fileprivate func task(_ task: OwnTask) -> MatchingTask {
        let name = task.isSticky ? task.stickyQueue : task.taskQueue
        return MatchingTask(
            queue: TaskQueueKey(namespace: key.namespace, name: name, kind: .workflow),
            key: key,
            runID: runID,
            kind: .query(id, isSticky: task.isSticky)
        )
    }
}

extension QueryAnswer {
    init(_ result: WorkflowQueryResult) {
        if result.resultType == .answered {
            self = .answered(result.answer)
        } else {
            self = .failed(message: result.errorMessage, result.failure)
        }
    }
}

extension CachedRun {
    /// How a query of this run would reach a worker now.
    var queryRoute: QueryRoute {
        let state = execution.durable
        let previous = state.previousStartedEventID
        guard execution.isRunning else {
            if previous == 0 { return .unanswerable(.closedBeforeFirstTask) }
            return .ownTask(
                PendingQuery.OwnTask(taskQueue: state.taskQueue, stickyQueue: "", previousStartedEventID: previous)
            )
        }
        if execution.workflowTask != nil || previous == 0 || !state.bufferedEvents.isEmpty { return .workflowTask }
        return .ownTask(
            PendingQuery.OwnTask(
                taskQueue: state.taskQueue,
                stickyQueue: state.stickyQueue,
                previousStartedEventID: previous
            )
        )
    }
}
