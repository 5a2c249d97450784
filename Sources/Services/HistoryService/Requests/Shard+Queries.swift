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
                shard.afterwards.append { reply.fail(workflow.missing) }
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
            let pending = PendingQuery(
                id: shard.random.next(),
                key: row.key,
                runID: row.runID,
                query: query,
                deadline: deadline,
                reply: reply
            )
            if let cached { shard.ask(pending, of: cached) } else { shard.ask(pending, ofClosed: row) }
        }
    }

    /// A closed run that is not in memory: its journal says how much of it workers have seen.
    private func ask(_ pending: PendingQuery, ofClosed row: RunRow) {
        read(row, failed: { pending.reply.fail($0) }) { [self] run in
            perform { ask(pending, of: run) }
        }
    }

    /// Under the lock.
    private func ask(_ pending: PendingQuery, of run: CachedRun) {
        if let obstacle = run.execution.queryObstacle {
            releaseInOrder(
                run: run,
                { pending.reply.fail(obstacle) },
                refuse: { pending.reply.fail($0.error) }
            )
            return
        }
        queries[pending.id] = pending
        if run.execution.isRunning { place(pending.id, run) } else { askClosed(pending, run) }
    }

    /// Under the lock.
    private func askClosed(_ pending: PendingQuery, _ run: CachedRun) {
        let state = run.execution.durable
        pending.previousStartedEventID = state.previousStartedEventID
        guard state.previousStartedEventID == 0 else { return offerQuery(pending, queue: state.taskQueue, sticky: "") }
        queries[pending.id] = nil
        releaseInOrder(
            run: run,
            { pending.reply.fail(.closedBeforeFirstTask) },
            refuse: { pending.reply.fail($0.error) }
        )
    }

    private static func isRejected(_ status: WorkflowExecutionStatus, by condition: QueryRejectCondition) -> Bool {
        switch condition {
        case .notOpen: status != .running
        case .notCompletedCleanly: status != .running && status != .completed
        default: false
        }
    }

    /// Under the lock: lets a query wait for the next workflow task where there is one, else sends it out.
    private func place(_ id: UInt64, _ run: CachedRun) {
        let state = run.execution.durable
        if state.workflowTask != nil || state.previousStartedEventID == 0 || !state.bufferedEvents.isEmpty {
            run.waitingQueries.append(id)
        } else if let pending = queries[id] {
            pending.previousStartedEventID = state.previousStartedEventID
            offerQuery(pending, queue: state.taskQueue, sticky: state.stickyQueue)
        }
    }

    /// Under the lock.
    func offerQuery(_ pending: PendingQuery, queue: String, sticky: String) {
        pending.taskQueue = queue
        offers.append(
            MatchingTask(
                queue: TaskQueueKey(
                    namespace: pending.key.namespace,
                    name: sticky.isEmpty ? queue : sticky,
                    kind: .workflow
                ),
                key: pending.key,
                runID: pending.runID,
                kind: .query(pending.id, isSticky: !sticky.isEmpty)
            )
        )
    }

    /// Under the lock: the queries that a workflow task takes along.
    func attachQueries(to run: CachedRun) -> [String: WorkflowQuery] {
        guard !run.waitingQueries.isEmpty else { return [:] }
        var attached: [String: WorkflowQuery] = [:]
        for id in run.waitingQueries {
            guard let pending = queries[id] else { continue }
            run.attachedQueries.append(id)
            attached[String(id, radix: 16)] = pending.query
        }
        run.waitingQueries = []
        return attached
    }

    /// Under the lock: the answers that came with a completion, to be given after its commit. Queries that got none wait
    /// for the next task or go out by themselves.
    func answers(
        _ results: [String: WorkflowQueryResult],
        for run: CachedRun
    ) -> [(PendingQuery, WorkflowQueryResult)] {
        guard !run.attachedQueries.isEmpty || !run.waitingQueries.isEmpty else { return [] }
        var answers: [(PendingQuery, WorkflowQueryResult)] = []
        let open = run.attachedQueries + run.waitingQueries
        run.attachedQueries = []
        run.waitingQueries = []
        for id in open {
            guard let pending = queries[id] else { continue }
            if let result = results[String(id, radix: 16)] {
                queries[id] = nil
                answers.append((pending, result))
            } else if run.execution.isRunning {
                place(id, run)
            } else {
                askClosed(pending, run)
            }
        }
        return answers
    }

    /// Under the lock: the task that carried them has failed or timed out.
    func requeueLostQueries(of run: CachedRun, in slot: WorkflowSlot) {
        guard !run.attachedQueries.isEmpty || !run.waitingQueries.isEmpty,
            run.execution.volatile.startedTask == nil
        else { return }
        _ = answers([:], for: run)
    }

    /// A poller took a query that goes by itself.
    func startQuery(_ task: MatchingTask, id: UInt64, isSticky: Bool, reply: Reply<PolledWorkflowTask>) {
        let workflow = WorkflowReference(key: task.key, runID: task.runID)
        resolve(workflow, refuse: { reply.fail($0) }) { shard, slot, resolved in
            guard let pending = shard.queries[id] else {
                shard.afterwards.append { reply.fail(.workflowTaskNotFound) }
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
                previous = pending.previousStartedEventID
                last = row.historyLength
            case .missing:
                shard.queries[id] = nil
                shard.afterwards.append {
                    pending.reply.fail(workflow.missing)
                    reply.fail(.workflowTaskNotFound)
                }
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
                            query: pending.query,
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
                        if error.code == .notFound {
                            // The run is gone, and no worker will get this.
                            shard.perform { shard.queries[id] = nil }
                            pending.reply.fail(error)
                        }
                        reply.fail(error)
                    }
                    shard.readPage(token, pageSize: .max, failed: failed) { page in
                        give(page.frames, page.nextPageToken)
                    }
                },
                refuse: { reply.fail($0.error) }
            )
        }
    }

    func answerQuery(_ token: TaskToken.QueryToken, _ answer: QueryAnswer, reply: Reply<Void>) {
        let pending = perform { queries.removeValue(forKey: token.queryID) }
        guard let pending else {
            return reply.fail(RequestError(.notFound, "query task not found, or already expired"))
        }
        pending.answer(answer)
        reply.succeed()
    }

    /// Under the lock.
    func expireQueries(_ now: Instant) {
        guard !queries.isEmpty else { return }
        var asked: Set<WorkflowKey> = []
        for pending in queries.values where pending.deadline <= now {
            queries[pending.id] = nil
            asked.insert(pending.key)
            afterwards.append {
                pending.reply.fail(RequestError(.deadlineExceeded, "query timed out before a worker could process it"))
            }
        }
        // A run that still holds them could not leave memory.
        for run in asked.compactMap({ slots[$0]?.cached }) {
            run.waitingQueries.removeAll { queries[$0] == nil }
            run.attachedQueries.removeAll { queries[$0] == nil }
        }
    }
}

extension PendingQuery {
    func answer(_ answer: QueryAnswer) {
        switch answer {
        case .answered(let result): reply.succeed(.answered(result))
        case .failed(let message, let failure):
            reply.fail(RequestError(.invalidArgument, message, detail: .queryFailed(failure)))
        }
    }

    func answer(_ result: WorkflowQueryResult) {
        if result.resultType == .answered {
            answer(.answered(result.answer))
        } else {
            answer(.failed(message: result.errorMessage, result.failure))
        }
    }
}
