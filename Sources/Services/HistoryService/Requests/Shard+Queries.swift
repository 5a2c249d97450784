internal import SagamoreAPI
internal import SagamoreEngine
internal import SagamorePersistence
internal import SagamoreProtobuf
internal import SagamoreServices

/// Queries. An answer reflects all earlier signals. While a workflow task is due or runs, a query is attached to it;
/// otherwise the query gets a task of its own.
extension Shard {
    func query(
        _ workflow: WorkflowReference,
        _ query: WorkflowQuery,
        rejecting condition: QueryRejectCondition,
        deadline: Instant,
        _ caller: consuming Caller<QueryOutcome>
    ) {
        resolve(workflow, caller) { (access: consuming RunAccess<QueryOutcome>, resolved) in
            let row: RunRow
            let shard = access.shard
            switch resolved {
            case .missing: return access.fail(workflow.missing)
            case .closed(let closed): row = closed
            case .cached(let run): row = run.row
            }
            if Shard.isRejected(row.status, by: condition) { return access.succeed(.rejected(row.status)) }
            let pending = access.pending(query, of: row, deadline: deadline)
            if case .cached(let run) = resolved { return shard.ask(pending, of: run) }
            // The journal of a closed run tells how much of it workers have seen.
            shard.read(row, failed: { pending.abandoned.finish(.failure($0)) }) { run in
                shard.perform {
                    if let obstacle = shard.obstacle() {
                        shard.state.deferred.call { pending.abandoned.finish(.failure(obstacle)) }
                    } else {
                        shard.ask(pending, of: run)
                    }
                }
            }
        }
    }

    /// Under the lock.
    private func ask(_ query: PendingQuery, of run: CachedRun) {
        let route = run.execution.queryObstacle.map { QueryRoute.unanswerable($0) } ?? run.queryRoute
        carryOut(state.queries.asked(query, route), seen: run)
    }

    /// Under the lock.
    ///
    /// - Parameter run: the run whose state a failure reveals.
    func carryOut(_ actions: [QueryAction], seen run: CachedRun) {
        for action in actions {
            guard case .fail(let query, let error) = action else {
                state.carryOut(action)
                continue
            }
            releaseInOrder(
                run: run,
                { query.finish(.failure(error)) },
                refuse: { query.finish(.failure($0.error)) }
            )
        }
    }

    private static func isRejected(_ status: WorkflowExecutionStatus, by condition: QueryRejectCondition) -> Bool {
        switch condition {
        case .notOpen: status != .running
        case .notCompletedCleanly: status != .running && status != .completed
        default: false
        }
    }

    /// Under the lock: decides what happens to a run's queries when its workflow task ends.
    func endTask(of run: CachedRun, answers results: ProtobufMap<WorkflowQueryResult>) -> EndedQueries {
        EndedQueries(state.queries.taskEnded(on: run.runID, answers: results) { run.queryRoute })
    }

    /// Under the lock: reroutes the queries of a run if no worker holds one of its workflow tasks.
    func requeueLostQueries(of run: CachedRun, in context: WorkflowContext) {
        guard state.queries.isBound(to: run.runID), run.execution.volatile.startedTask == nil else { return }
        carryOut(state.queries.taskEnded(on: run.runID) { run.queryRoute }, seen: run)
    }

    /// A poller took a query that has its own task.
    func startQuery(
        _ task: MatchingTask,
        id: UInt64,
        isSticky: Bool,
        _ caller: consuming Caller<PolledWorkflowTask>
    ) {
        let workflow = WorkflowReference(key: task.key, runID: task.runID)
        resolve(workflow, caller) { (access: consuming RunAccess<PolledWorkflowTask>, resolved) in
            let shard = access.shard
            guard let query = shard.state.queries.taken(id), case .held(let held) = query.state else {
                return access.refuseTask(.workflowTaskNotFound)
            }
            let type: String
            let previous: Int64
            let last: Int64
            switch resolved {
            case .cached(let run):
                type = run.execution.durable.workflowType
                previous = run.execution.durable.previousStartedEventID
                last = run.execution.durable.lastEventID
            case .closed(let row):
                type = row.workflowType
                previous = held.previousStartedEventID
                last = row.historyLength
            case .missing:
                shard.state.carryOut(shard.state.queries.refused(id, workflow.missing))
                return access.refuseTask(.workflowTaskNotFound)
            }
            @Sendable func assigned(_ history: [UInt8], _ next: [UInt8]) -> PolledWorkflowTask {
                let token = TaskToken.QueryToken(key: task.key, runID: task.runID, queryID: id)
                return .query(
                    AssignedQuery(
                        key: task.key,
                        runID: task.runID,
                        workflowType: type,
                        token: TaskToken.query(token).bytes,
                        query: query.query,
                        history: history,
                        nextPageToken: next,
                        previousStartedEventID: previous
                    )
                )
            }
            let notDelivered: @Sendable (RequestError) -> Void = { error in
                shard.perform { shard.queryNotDelivered(id, error) }
            }
            access.whenCommitted(onLoss: notDelivered) { reply in
                if isSticky { return reply.succeed(assigned([], [])) }
                let token = HistoryPageToken(runID: task.runID, nextEventID: 1, lastEventID: last, suffix: [])
                let failed: @Sendable (RequestError) -> Void = { error in
                    notDelivered(error)
                    reply.fail(error)
                }
                shard.readPage(token, of: task.key, pageSize: .max, failed: failed) { page in
                    reply.succeed(assigned(page.frames, page.nextPageToken))
                }
            }
        }
    }

    /// Under the lock: the poller that was to get a query's task got an error.
    private func queryNotDelivered(_ id: UInt64, _ error: RequestError) {
        if error.code == .notFound {
            // The run has left memory, so no worker will get the task.
            state.carryOut(state.queries.refused(id, error))
        } else {
            state.queries.notDelivered(id)
        }
    }

    func answerQuery(_ token: TaskToken.QueryToken, _ answer: QueryAnswer, reply: Reply<Void>) {
        let isOpen = perform {
            let actions = state.queries.answered(token.queryID, answer)
            state.carryOut(actions)
            return !actions.isEmpty
        }
        guard isOpen else { return reply.fail(RequestError(.notFound, "query task not found, or already expired")) }
        reply.succeed()
    }

    /// Under the lock.
    func expireQueries(_ now: Instant) {
        state.carryOut(state.queries.timedOut(now))
    }
}

/// The queries of a workflow task that has ended.
struct EndedQueries: Sendable {
    /// Answers to give once the completion is committed.
    private var answers: [(query: PendingQuery, answer: QueryAnswer)] = []
    /// Actions to take at once.
    private(set) var others: [QueryAction] = []

    init(_ actions: [QueryAction]) {
        for action in actions {
            if case .answer(let query, let answer) = action {
                answers.append((query, answer))
            } else {
                others.append(action)
            }
        }
    }

    func giveAnswers() {
        for (query, answer) in answers { query.finish(.success(answer)) }
    }
}
