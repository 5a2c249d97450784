internal import SagamoreAPI
internal import SagamoreEngine
internal import SagamorePersistence
internal import SagamoreProtobuf
internal import SagamoreServices

/// Queries: answered with all earlier signals applied. While a workflow task is due or runs, a query rides on it; else it
/// goes to a worker by itself.
extension Shard {
    func query(
        _ workflow: WorkflowReference,
        _ query: WorkflowQuery,
        rejecting condition: QueryRejectCondition,
        deadline: Instant,
        reply: Reply<QueryOutcome>
    ) {
        resolve(workflow, refuse: { reply.fail($0) }) { shard, slot, resolved in
            let row: RunRow
            var cached: CachedRun?
            switch resolved {
            case .missing:
                shard.deferred.call { reply.fail(workflow.missing) }
                return
            case .closed(let closed): row = closed
            case .cached(let run):
                row = run.row
                cached = run
            }
            if Shard.isRejected(row.status, by: condition) {
                shard.releaseInOrder(
                    run: cached,
                    slot: slot,
                    { reply.succeed(.rejected(row.status)) },
                    refuse: { reply.fail($0.error) }
                )
                return
            }
            let query = PendingQuery(
                id: shard.random.next(),
                key: row.key,
                runID: row.runID,
                query: query,
                deadline: deadline,
                reply: reply
            )
            if let cached { return shard.ask(query, of: cached) }
            // How much of a closed run workers have seen stands in its journal.
            shard.read(row, failed: { reply.fail($0) }) { run in
                shard.perform { shard.ask(query, of: run) }
            }
        }
    }

    /// Under the lock.
    private func ask(_ query: PendingQuery, of run: CachedRun) {
        let route = run.execution.queryObstacle.map { QueryRoute.unanswerable($0) } ?? run.queryRoute
        carryOut(queries.asked(query, route), seen: run)
    }

    /// Under the lock.
    ///
    /// - Parameter run: the run whose state a failure tells about; nil where it tells about none.
    func carryOut(_ actions: [QueryAction], seen run: CachedRun?) {
        for action in actions {
            switch action {
            case .offer(let task): deferred.offer(task)
            case .answer(let query, let answer): deferred.call { query.finish(.success(answer)) }
            case .fail(let query, let error):
                guard let run else {
                    deferred.call { query.finish(.failure(error)) }
                    continue
                }
                releaseInOrder(
                    run: run,
                    { query.finish(.failure(error)) },
                    refuse: { query.finish(.failure($0.error)) }
                )
            }
        }
    }

    private static func isRejected(_ status: WorkflowExecutionStatus, by condition: QueryRejectCondition) -> Bool {
        switch condition {
        case .notOpen: status != .running
        case .notCompletedCleanly: status != .running && status != .completed
        default: false
        }
    }

    /// Under the lock: the answers that came with a completion, to be given after its commit. The other queries of the run
    /// are sent on.
    func endTask(
        of run: CachedRun,
        answers results: [String: WorkflowQueryResult]
    ) -> [(query: PendingQuery, answer: QueryAnswer)] {
        let actions = queries.taskEnded(on: run.runID, answers: results) { run.queryRoute }
        guard !actions.isEmpty else { return [] }
        var answers: [(query: PendingQuery, answer: QueryAnswer)] = []
        var others: [QueryAction] = []
        for action in actions {
            if case .answer(let query, let answer) = action {
                answers.append((query, answer))
            } else {
                others.append(action)
            }
        }
        carryOut(others, seen: run)
        return answers
    }

    /// Under the lock: sends the queries of a run on when no worker holds a workflow task of it.
    func requeueLostQueries(of run: CachedRun, in slot: WorkflowSlot) {
        guard queries.isBound(to: run.runID), run.execution.volatile.startedTask == nil else { return }
        carryOut(queries.taskEnded(on: run.runID) { run.queryRoute }, seen: run)
    }

    /// A poller took a query that goes by itself.
    func startQuery(_ task: MatchingTask, id: UInt64, isSticky: Bool, reply: Reply<PolledWorkflowTask>) {
        let workflow = WorkflowReference(key: task.key, runID: task.runID)
        resolve(workflow, refuse: { reply.fail($0) }) { shard, slot, resolved in
            guard let query = shard.queries.taken(id), case .held(let held) = query.state else {
                shard.deferred.call { reply.fail(.workflowTaskNotFound) }
                return
            }
            let token = TaskToken.query(TaskToken.QueryToken(key: task.key, runID: task.runID, queryID: id)).bytes
            var type = ""
            var previous: Int64 = 0
            var last: Int64 = 0
            var run: CachedRun?
            switch resolved {
            case .cached(let cached):
                run = cached
                type = cached.execution.durable.workflowType
                previous = cached.execution.durable.previousStartedEventID
                last = cached.execution.durable.lastEventID
            case .closed(let row):
                type = row.workflowType
                previous = held.previousStartedEventID
                last = row.historyLength
            case .missing:
                shard.carryOut(shard.queries.refused(id, workflow.missing), seen: nil)
                shard.deferred.call { reply.fail(.workflowTaskNotFound) }
                return
            }
            let (workflowType, started, lastEventID) = (type, previous, last)
            @Sendable func give(_ history: [UInt8], _ next: [UInt8]) {
                reply.succeed(
                    .query(
                        AssignedQuery(
                            key: task.key,
                            runID: task.runID,
                            workflowType: workflowType,
                            token: token,
                            query: query.query,
                            history: history,
                            nextPageToken: next,
                            previousStartedEventID: started
                        )
                    )
                )
            }
            shard.releaseInOrder(
                run: run,
                slot: slot,
                {
                    if isSticky { return give([], []) }
                    let (runID, last) = (task.runID, lastEventID)
                    let token = HistoryPageToken(runID: runID, nextEventID: 1, lastEventID: last, suffix: [])
                    let failed: @Sendable (RequestError) -> Void = { error in
                        shard.perform { shard.queryNotDelivered(id, error) }
                        reply.fail(error)
                    }
                    shard.readPage(token, pageSize: .max, failed: failed) { page in
                        give(page.frames, page.nextPageToken)
                    }
                },
                refuse: { failure in
                    shard.perform { shard.queryNotDelivered(id, failure.error) }
                    reply.fail(failure.error)
                }
            )
        }
    }

    /// Under the lock: a poller that was to get a query's task got an error.
    private func queryNotDelivered(_ id: UInt64, _ error: RequestError) {
        if error.code == .notFound {
            // The run is gone, and no worker will get this.
            carryOut(queries.refused(id, error), seen: nil)
        } else {
            queries.notDelivered(id)
        }
    }

    func answerQuery(_ token: TaskToken.QueryToken, _ answer: QueryAnswer, reply: Reply<Void>) {
        let isOpen = perform {
            let actions = queries.answered(token.queryID, answer)
            carryOut(actions, seen: nil)
            return !actions.isEmpty
        }
        guard isOpen else { return reply.fail(RequestError(.notFound, "query task not found, or already expired")) }
        reply.succeed()
    }

    /// Under the lock.
    func expireQueries(_ now: Instant) {
        carryOut(queries.timedOut(now), seen: nil)
    }
}
